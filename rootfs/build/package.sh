#!/usr/bin/env bash
# package.sh NAME [SUITE [VERSION [ARCH]]]: a binary package of Debian, unpacked; prints the directory.
#
# What is not given comes from the table "versions"; without a row there, SUITE is bookworm, VERSION the newest
# at the first call, and ARCH the machine's. A package that only depends on another, as linux-image-amd64 does, is
# replaced by that one: package.sh linux-image-amd64 bookworm gives a directory with boot/ and lib/modules/.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$here/apt.sh"

name=${1:-} suite=${2:-} version=${3:-} arch=${4:-$(dpkg --print-architecture)}
task="package $name"
[ -n "$name" ] || die "usage: package.sh NAME [SUITE [VERSION [ARCH]]]"
if [ -z "$suite$version" ]; then read -r suite version <<<"$(row package "$name")" || true; fi
suite=${suite:-bookworm}

dir=$(deb_package "$name" "$suite" "$version" "$arch")
# An empty package: no files but documentation.
if [ -z "$(find "$dir" ! -type d ! -path '*/usr/share/doc/*' ! -path '*/usr/share/bug/*' ! -name .control -print -quit)" ]; then
    on=$(sed -n 's/^Depends: \([a-z0-9.+-]*\)\( (= \([^)]*\))\)\?.*/\1 \3/p' "$dir/.control")
    read -r name version <<<"$on"
    [ -n "$name" ] || die "$dir is empty"
    dir=$(deb_package "$name" "$suite" "$version" "$arch")
fi
echo "$dir"
