#!/usr/bin/env bash
# kernel.sh NAME [ARCH]: a kernel of Debian's, such as linux-image-amd64, in the layout of gokrazy's kernel packages:
# vmlinuz, lib/modules with depmod's tables, and LICENSE.linux. Prints the directory.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=${1:-} arch=${2:-amd64}
task="kernel $name"
[ -n "$name" ] || die "usage: kernel.sh NAME [ARCH]"
read -r suite version <<<"$(row package "$name")"
[ -n "${version:-}" ] || die "rootfs/build/versions has no row \"package $name\""
package=$("$BASH" "$here/package.sh" "$name" "$suite" "$version" "$arch")
result=$cache/kernel/$(basename "$package")-$(key "${BASH_SOURCE[0]}")
[ -d "$result" ] || lock "$result.lock"
if [ ! -d "$result" ]; then
    need kmod
    workdir
    release=$(basename "$package"/lib/modules/*)
    mkdir "$work/kernel"
    cp "$package/boot/vmlinuz-$release" "$work/kernel/vmlinuz"
    cp "$package/usr/share/doc/linux-image-$release/copyright" "$work/kernel/LICENSE.linux"
    cp -r "$package/lib" "$work/kernel/lib" # the package has no tables: its own script makes them where it is installed
    /sbin/depmod -b "$work/kernel" "$release"
    place "$work/kernel" "$result"
fi
echo "$result"
