#!/usr/bin/env bash
# sources.sh DIR: the corresponding source of the programs in the image that are not ours, to be offered beside it.
#
# Writes DIR/manofwar-sources.tar and prints its name. In it are the archives of Debian exactly as published, and the
# scripts that build the programs from them. The C library is linked into them, so that its source belongs to it; the
# compiler's own run-time library does not (its licence excepts it). The bytes depend on the versions only.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$here/apt.sh"

task=sources
[ -n "${1:-}" ] || die "usage: sources.sh DIR"
file=$(realpath -m "$1")/manofwar-sources.tar
need tar
workdir
mkdir -p "$work/manofwar-sources/rootfs/build"
cp "$here"/* "$work/manofwar-sources/rootfs/build/"
while read -r name; do
    cp -r "$(deb_source "$name")" "$work/manofwar-sources/$name"
done < <(awk '$1 == "source" { print $2 }' "$here/versions")

# The one the machine has, or if that has left the archive the suite's newest. Debian's cross compilers bring a copy
# of the same upstream version, from which a suite does not move.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
version=$(dpkg-query -W -f '${source:Version}' libc6-dev 2>/dev/null) || version=
glibc=$cache/sources/glibc_${version:-$suite}
[ -d "$glibc" ] || lock "$glibc.lock"
if [ ! -d "$glibc" ]; then
    apt_private
    say "fetching the source of glibc $version"
    mkdir "$work/glibc"
    (cd "$work/glibc" && got=$(apt_fetch source glibc "$suite" "$version") && echo "glibc $got" >version && rm -f fetch.log)
    place "$work/glibc" "$glibc"
fi
cp -r "$glibc" "$work/manofwar-sources/glibc"

mkdir -p "$(dirname "$file")"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@0 -cf "$file.part" manofwar-sources
mv "$file.part" "$file"
say "done: $(stat -c %s "$file") bytes"
echo "$file"
