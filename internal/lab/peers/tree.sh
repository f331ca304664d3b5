#!/usr/bin/env bash
# tree.sh: a small Debian with the programs that play the dongle's peers, as a tar archive; prints its name.
#
# It is what everyone else uses: hostapd as the home's router, wpa_supplicant as the phone, dnsmasq, NetworkManager. It is
# made from the machine's own mirror, as the scripts of rootfs/build are, and kept beside their results.
source "$(dirname "${BASH_SOURCE[0]}")/../../../rootfs/build/lib.sh"
source "$here/apt.sh"

task=peers
suite=bookworm
packages=(
    avahi-daemon avahi-utils busybox curl dbus dnsmasq-base hostapd iproute2 iputils-ping iw kmod
    network-manager nftables procps tcpdump v4l-utils wireless-regdb wpasupplicant
)
result=$cache/peers/$suite-$(key "${BASH_SOURCE[0]}").tar
[ -f "$result" ] || lock "$result.lock"
if [ ! -f "$result" ]; then
    need mmdebstrap debian-archive-keyring
    workdir
    apt_sources | sed "s/ trixie[^ ]*//g; s/^Architectures:.*/Architectures: amd64/" >"$work/sources.sources"
    # The services would be started by no init: they are programs for the tests to start. Documentation is not for reading here.
    step bootstrap mmdebstrap --variant=minbase --architectures=amd64 --format=tar \
        --include="$(IFS=,; echo "${packages[*]}")" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
        --aptopt='APT::Install-Recommends "false"' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/usr/lib/x86_64-linux-gnu/gconv' \
        "$suite" "$work/peers.tar" "$work/sources.sources"
    mkdir -p "$(dirname "$result")"
    mv "$work/peers.tar" "$result"
    say "done: $(($(stat -c %s "$result") >> 20)) MiB"
fi
echo "$result"
