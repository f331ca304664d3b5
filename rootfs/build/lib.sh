# Shared by the scripts of this directory: the cache, messages, locks, needed programs. Source it.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(realpath -m -- "${MANOFWAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/manofwar}")
jobs=${MANOFWAR_JOBS:-$(nproc)}
started=$SECONDS

# Progress and errors go to stderr: stdout carries the one line a caller wants, the result's directory.
say() { printf '%s: %s (%d s)\n' "${task:-rootfs}" "$*" "$((SECONDS - started))" >&2; }
die() {
    printf '%s: %s\n' "${task:-rootfs}" "$*" >&2
    exit 1
}

# row KIND NAME: "suite version" as pinned in the table, or nothing.
row() { awk -v k="$1" -v n="$2" '$1 == k && $2 == n { print $3, $4 }' "$here/versions"; }

# key FILE NAME...: 16 hex digits naming a build by what decides its content: the recipe and the sources' versions.
key() {
    local recipe=$1
    shift
    {
        cat "$recipe"
        for name in "$@"; do row source "$name"; done
    } | sha256sum | cut -c1-16
}

# lock FILE: held until the (sub)shell ends, so that two callers do not do the same work. Look again after it.
# With MANOFWAR_CACHED_ONLY set, nothing that would need it is done.
lock() {
    [ -z "${MANOFWAR_CACHED_ONLY:-}" ] || die "not in the cache, and MANOFWAR_CACHED_ONLY is set"
    mkdir -p "$(dirname "$1")"
    exec {lock_fd}>"$1"
    flock -n "$lock_fd" && return
    say "waiting for another build to finish"
    flock "$lock_fd"
}

# place DIR RESULT: RESULT appears complete or not at all.
place() {
    mkdir -p "$(dirname "$2")"
    rm -rf "$2"
    mv -T "$1" "$2"
}

# need PACKAGE...: install what is missing if we may, else say what to type.
need() {
    local missing=() p
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "these packages are missing; run: sudo apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    mkdir -p "$cache"
    # The machine's own lists may be old or missing: read them if that does not work.
    install_packages "${missing[@]}" || { apt-get -q update >&2 && install_packages "${missing[@]}"; } || {
        tail -n 10 "$cache/install.log" >&2
        die "apt-get could not install ${missing[*]}; the whole log is $cache/install.log"
    }
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" >"$cache/install.log" 2>&1
}

# step NAME COMMAND...: run with the output in a log; show the end of the log if it fails.
# The command may report progress on fd 3.
step() {
    local name=$1 log=$work/log/$1 stopped=
    shift
    mkdir -p "$work/log"
    say "$name"
    # Not "if ! ...": bash ignores set -e inside a condition.
    trap 'stopped=1' INT TERM # nothing is wrong then, and nothing to look at later
    set +e
    (set -e; "$@") 3>&2 >"$log" 2>&1
    local code=$?
    set -e
    trap - INT TERM
    [ -z "$stopped" ] || die "stopped while doing $name"
    [ $code = 0 ] && return
    tail -n 25 "$log" >&2
    keep_work=1
    die "$name did not build; the whole log is $log"
}

# progress TOTAL: copies the output of make, and reports on stderr how many files it has compiled.
progress() {
    local line n=0
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [[ $line = @(CC|CXX|AS|X86ASM)$'\t'* ]] && ((++n % 250 == 0)); then say "compiled $n of $1 files"; fi
    done
}

# workdir: a scratch directory, removed at exit unless a step failed.
workdir() {
    [[ $cache != *[[:space:]]* ]] || die "programs cannot be built in \"$cache\": set MANOFWAR_CACHE to a directory without spaces in its path"
    mkdir -p "$cache/tmp"
    find "$cache/tmp" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
    work=$(mktemp -d "$cache/tmp/${task// /-}.XXXXXX")
    chmod 755 "$work"
    trap '[ -n "${keep_work:-}" ] || rm -rf "$work"' EXIT
}

# toolchain ARCH: sets triple, and the flags every static program of ours is compiled and linked with.
# -static-pie: the programs read hostile files, so they get address randomisation although they are static.
# -mno-outline-atomics: the Pi 3 and Zero 2 W have no LSE atomics, and the run-time check costs more than it saves.
toolchain() {
    case $1 in
    arm64) triple=aarch64-linux-gnu machine=aarch64 arch_flags=-mno-outline-atomics ;;
    amd64) triple=x86_64-linux-gnu machine=x86_64 arch_flags= ;;
    *) die "unknown architecture \"$1\"; want arm64 or amd64" ;;
    esac
    cflags="-O2 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2 $arch_flags"
    ldflags="-static-pie -Wl,--gc-sections"
    need build-essential dpkg-dev xz-utils
    [ "$(dpkg --print-architecture)" = "$1" ] || need "crossbuild-essential-$1"
}
