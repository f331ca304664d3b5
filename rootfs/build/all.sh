#!/usr/bin/env bash
# all.sh ARCH [VARIANT]: everything that goes into a root and is not ours: "name directory" a line.
# The Go package rootfs reads it; build what is missing, else answer from the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=${1:?usage: all.sh arm64|amd64 [gpl|lgpl]}
# One at a time, each before its name is printed: a part that does not build ends this.
codec=$("$BASH" "$here/ffmpeg.sh" "$arch" "${2:-gpl}")
echo "codec $codec"
ext=$("$BASH" "$here/e2fsprogs.sh" "$arch")
echo "ext $ext"
for name in base-files ca-certificates tzdata tzdata-legacy wireless-regdb firmware-brcm80211 fonts-noto-core fonts-wqy-microhei; do
    dir=$("$BASH" "$here/package.sh" "$name")
    echo "$name $dir"
done
