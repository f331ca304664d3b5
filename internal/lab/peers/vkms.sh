#!/usr/bin/env bash
# vkms.sh KERNEL: the kernel's screen without hardware (drivers/gpu/drm/vkms), which Debian's kernels lack, as a module for the
# one that kernel.sh put into the directory KERNEL; prints the directory with vkms.ko.
#
# It has what QEMU's cards have not: vertical blanks, and a plane above the picture. It is made from the kernel's own source
# with the kernel's own headers, which have its version. What it is made with runs on amd64.
source "$(dirname "${BASH_SOURCE[0]}")/../../../rootfs/build/lib.sh"
source "$here/apt.sh"

kernel=${1:-}
task=vkms
[ -d "$kernel" ] || die "usage: vkms.sh KERNEL"
release=$(basename "$kernel"/lib/modules/*) # 6.1.0-56-amd64
version=$(basename "$kernel" | cut -d_ -f2) # 6.1.192-2
series=$(cut -d. -f1,2 <<<"$release")       # 6.1
abi=${release%-*}                           # 6.1.0-56
result=$cache/peers/vkms-${release}_$version-$(key "${BASH_SOURCE[0]}")
[ -d "$result" ] || lock "$result.lock"
if [ ! -d "$result" ]; then
    need build-essential xz-utils
    workdir
    mkdir "$work/root" "$work/result"
    for package in "linux-headers-$release" "linux-headers-$abi-common" "linux-kbuild-$series"; do
        dir=$(deb_package "$package" bookworm "$version" amd64)
        cp -r "$dir/usr" "$work/root"
    done
    dir=$(deb_package "linux-source-$series" bookworm "$version" amd64)
    tar -x -J -C "$work" -f "$dir/usr/src/linux-source-$series.tar.xz" "linux-source-$series/drivers/gpu/drm/vkms"
    build=$work/root/usr/src/linux-headers-$release source=$work/linux-source-$series/drivers/gpu/drm/vkms
    echo "include $work/root/usr/src/linux-headers-$abi-common/Makefile" >"$build/Makefile" # instead of where it is installed
    step build make -C "$build" M="$source" CONFIG_DRM_VKMS=m CC=gcc modules # not the version of gcc that Debian used
    strip --strip-debug -o "$work/result/vkms.ko" "$source/vkms.ko"
    place "$work/result" "$result"
    rm -rf "$dir" # 130 MB that nothing asks for again
    say "done"
fi
echo "$result"
