#!/usr/bin/env bash
# modules.sh KERNEL: what Debian's kernels lack of the kernel's own simulated hardware, as modules for the one that kernel.sh put
# into the directory KERNEL; prints the directory with them:
#   vkms.ko          a screen (drivers/gpu/drm/vkms). It has what QEMU's cards have not: vertical blanks, and a plane above the picture
#   vicodec.ko       a codec behind the interface of hardware codecs (drivers/media/test-drivers/vicodec), for a format of its own, FWHT
#   v4l2-mem2mem.ko  what vicodec stands on
#
# They are made from the kernel's own source with the kernel's own headers, which have its version. What they are made with runs
# on amd64.
source "$(dirname "${BASH_SOURCE[0]}")/../../../rootfs/build/lib.sh"
source "$here/apt.sh"

kernel=${1:-}
task=modules
[ -d "$kernel" ] || die "usage: modules.sh KERNEL"
release=$(basename "$kernel"/lib/modules/*) # 6.1.0-56-amd64
version=$(basename "$kernel" | cut -d_ -f2) # 6.1.192-2
series=$(cut -d. -f1,2 <<<"$release")       # 6.1
abi=${release%-*}                           # 6.1.0-56
result=$cache/peers/modules-${release}_$version-$(key "${BASH_SOURCE[0]}")
[ -d "$result" ] || lock "$result.lock"
if [ ! -d "$result" ]; then
    need build-essential xz-utils
    workdir
    mkdir "$work/root" "$work/result"
    for package in "linux-headers-$release" "linux-headers-$abi-common" "linux-kbuild-$series"; do
        dir=$(deb_package "$package" bookworm "$version" amd64)
        cp -r "$dir/usr" "$work/root"
    done
    elf=$(deb_package libelf1 bookworm "" amd64) # objtool, of linux-kbuild, needs it
    dir=$(deb_package "linux-source-$series" bookworm "$version" amd64)
    source=$work/linux-source-$series/drivers
    tar -x -J -C "$work" -f "$dir/usr/src/linux-source-$series.tar.xz" \
        "linux-source-$series/drivers/"{gpu/drm/vkms,media/test-drivers/vicodec,media/v4l2-core/v4l2-mem2mem.c}
    build=$work/root/usr/src/linux-headers-$release
    echo "include $work/root/usr/src/linux-headers-$abi-common/Makefile" >"$build/Makefile" # instead of where it is installed
    # Together, because one of them needs what another one offers.
    echo "obj-m += gpu/drm/vkms/ media/v4l2-core/v4l2-mem2mem.o media/test-drivers/vicodec/" >"$source/Kbuild"
    export LD_LIBRARY_PATH=$elf/usr/lib/x86_64-linux-gnu
    step build make -C "$build" M="$source" CONFIG_DRM_VKMS=m CONFIG_VIDEO_VICODEC=m CC=gcc modules # not the version of gcc that Debian used
    for module in gpu/drm/vkms/vkms.ko media/v4l2-core/v4l2-mem2mem.ko media/test-drivers/vicodec/vicodec.ko; do
        strip --strip-debug -o "$work/result/$(basename "$module")" "$source/$module"
    done
    place "$work/result" "$result"
    rm -rf "$dir" # 130 MB that nothing asks for again
    say "done"
fi
echo "$result"
