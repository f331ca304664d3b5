#!/usr/bin/env bash
# e2fsprogs.sh ARCH: static e2fsck, mke2fs and resize2fs, for the dongle's /data.
#
# Prints the directory with the three programs, copyright/NAME and the list "sources". ARCH is arm64 or amd64.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$here/apt.sh"

arch=${1:-}
task="e2fsprogs $arch"
[[ $arch = arm64 || $arch = amd64 ]] || die "usage: e2fsprogs.sh arm64|amd64"

result=$cache/e2fsprogs/$arch-$(key "${BASH_SOURCE[0]}" e2fsprogs)
[ ! -x "$result/e2fsck" ] || { echo "$result"; exit; }
lock "$result.lock"
[ ! -x "$result/e2fsck" ] || { echo "$result"; exit; }

configure_e2fsprogs() {
    ./configure --host="$triple" CC="$triple-gcc" BUILD_CC=gcc CFLAGS="$cflags" LDFLAGS="$ldflags" \
        --disable-nls --disable-backtrace --disable-debugfs --disable-imager --disable-defrag --disable-fuse2fs \
        --disable-uuidd --disable-tls --disable-bsd-shlibs --disable-elf-shlibs --enable-libuuid --enable-libblkid \
        --with-udev-rules-dir=no --with-systemd-unit-dir=no --with-crond-dir=no
}

compile() {
    make -j"$jobs" libs
    make -j"$jobs" -C e2fsck e2fsck
    make -j"$jobs" -C misc mke2fs
    make -j"$jobs" -C resize resize2fs
    cp e2fsck/e2fsck misc/mke2fs resize/resize2fs "$out/"
    "$triple-strip" "$out/e2fsck" "$out/mke2fs" "$out/resize2fs"
}

toolchain "$arch"
need pkgconf
workdir
out=$work/out
mkdir -p "$out/copyright"
export SOURCE_DATE_EPOCH=0 CCACHE_DISABLE=1
cflags+=" -ffile-prefix-map=$work=."

deb_unpack e2fsprogs "$work/e2fsprogs"
cp "$work/e2fsprogs/debian/copyright" "$out/copyright/e2fsprogs"
cp /usr/share/doc/libc6-dev/copyright "$out/copyright/glibc"
cat "$(deb_source e2fsprogs)/version" >"$out/sources"
cd "$work/e2fsprogs"
step configure configure_e2fsprogs
step compile compile
cd /
place "$out" "$result"
say "done: $(stat -c '%n %s' "$result"/{e2fsck,mke2fs,resize2fs} | sed 's|.*/||' | paste -sd, | sed 's/,/, /g') bytes"
echo "$result"
