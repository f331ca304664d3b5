# Debian packages and sources by name and exact version, through a private apt. Source it after lib.sh.
#
# The machine's own apt is read, never changed: from its sources we learn which mirror it uses, and derive
# entries of our own for both suites we take things from. apt checks all signatures as usual.
# shellcheck shell=bash
apt_suites="bookworm trixie"
apt_dir=$cache/apt

# machine_mirrors: "URI suffix keyring" for every Debian archive in the machine's apt sources;
# suffix is "", "-updates" or "-security", a missing one is written as ".".
machine_mirrors() {
    local codename list
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
    for list in "${APT_SOURCES_DIR:-/etc/apt}"/sources.list "${APT_SOURCES_DIR:-/etc/apt}"/sources.list.d/*.{list,sources}; do
        [ -r "$list" ] || continue
        awk -v name="$codename" -v deb822="$([[ $list = *.sources ]] && echo 1)" '
            function emit(uris, suites, comps, key,    u, s, i, j, n, m, base, suffix) {
                # Third-party archives also call their suites "bookworm main": they bring a key of their own.
                if (comps !~ /(^| )main( |$)/ || (key != "" && key !~ /debian-archive/)) return
                n = split(uris, u, " "); m = split(suites, s, " ")
                for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) {
                    base = s[j]; suffix = ""
                    if (match(base, /-(security|updates)$/)) { suffix = substr(base, RSTART); base = substr(base, 1, RSTART-1) }
                    if (base == name || base ~ /^(bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/)
                        print u[i], (suffix == "" ? "." : suffix), (key == "" ? "." : key)
                }
            }
            BEGIN { if (deb822) RS = "" }
            !deb822 && $1 == "deb" {
                line = $0; key = ""
                if (match(line, /\[[^]]*\]/)) {
                    opts = substr(line, RSTART, RLENGTH); line = substr(line, 1, RSTART-1) substr(line, RSTART+RLENGTH)
                    if (match(opts, /signed-by=[^] ]*/)) key = substr(opts, RSTART+10, RLENGTH-10)
                }
                sub(/#.*/, "", line); n = split(line, f, " "); comps = ""
                for (i = 4; i <= n; i++) comps = comps " " f[i]
                emit(f[2], f[3], comps, key)
            }
            deb822 {
                split("", v); last = ""; n = split($0, l, "\n")
                for (i = 1; i <= n; i++) {
                    if (l[i] ~ /^#/) continue
                    if (l[i] ~ /^[ \t]/) { v[last] = v[last] " " l[i]; continue }
                    p = index(l[i], ":"); last = tolower(substr(l[i], 1, p-1)); v[last] = substr(l[i], p+1)
                }
                gsub(/[ \t]/, "", v["signed-by"])
                if (v["types"] ~ /(^| )deb( |$)/ && tolower(v["enabled"]) !~ /no/) emit(v["uris"], v["suites"], v["components"], v["signed-by"])
            }' "$list"
    done | sort -u
}

# apt_sources: our sources in deb822, for the suites we use. MANOFWAR_APT_SOURCES names a file to use instead.
apt_sources() {
    if [ -n "${MANOFWAR_APT_SOURCES:-}" ]; then
        cat "$MANOFWAR_APT_SOURCES"
        return
    fi
    local uri suffix keyring suite
    machine_mirrors | while read -r uri suffix keyring; do
        [ "$suffix" != . ] || suffix=
        [ "$keyring" != . ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
        printf 'Types: deb deb-src\nURIs: %s\nSuites:' "$uri"
        for suite in $apt_suites; do printf ' %s%s' "$suite" "$suffix"; done
        printf '\nComponents: main non-free-firmware\nArchitectures: amd64 arm64\nSigned-By: %s\n\n' "$keyring"
    done
}

# apt_private: prepare the private apt, and read the lists at first and when the machine's mirrors have changed.
# One script at a time has it, until the shell that asked ends.
apt_private() {
    [ -z "${apt_fd:-}" ] || return 0
    need apt dpkg-dev debian-archive-keyring
    mkdir -p "$apt_dir"/{sources,state/lists/partial,cache/archives/partial}
    exec {apt_fd}>"$apt_dir/lock"
    flock "$apt_fd"
    : >"$apt_dir/state/status"
    # Proxies and timeouts of the machine hold for us too; its hooks and preferences do not.
    {
        apt-config dump | grep '^Acquire::[^ ]' | grep -v -e '^Acquire::IndexTargets' -e '^Acquire::Languages' || true
        cat <<CONF
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt_dir/sources";
Dir::State "$apt_dir/state";
Dir::State::status "$apt_dir/state/status";
Dir::Cache "$apt_dir/cache";
Dir::Log "$apt_dir";
APT::Architecture "$(dpkg --print-architecture)";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
    } >"$apt_dir/apt.conf"
    apt_sources >"$apt_dir/sources.new"
    [ -s "$apt_dir/sources.new" ] ||
        die "no Debian archive in this machine's apt sources; set MANOFWAR_APT_SOURCES to a file in the format of sources.list(5)"
    export APT_CONFIG=$apt_dir/apt.conf
    if ! cmp -s "$apt_dir/sources.new" "$apt_dir/sources/debian.sources"; then
        cp "$apt_dir/sources.new" "$apt_dir/sources/debian.sources"
        apt_update
    fi
}

apt_update() {
    say "reading Debian's package lists"
    apt-get -q update >"$apt_dir/update.log" 2>&1 || {
        tail -n 5 "$apt_dir/update.log" >&2
        rm -f "$apt_dir/sources/debian.sources"
        die "apt-get could not read the package lists; the whole log is $apt_dir/update.log"
    }
}

# apt_newest KIND NAME SUITE: the versions of NAME in SUITE and its security updates, newest first.
# KIND is "source", an architecture or "all".
apt_newest() {
    local field=Packages
    [ "$1" != source ] || field=Sources
    apt-cache madison "$2" | awk -F' *[|] *' -v s="$3" -v f="$field" -v a="$1" '
        { n = split($3, w, " "); split(w[2], at, "/") }
        w[n] == f && (at[1] == s || at[1] == s "-security" || at[1] == s "-updates") && (f == "Sources" || a == "all" || w[3] == a) { gsub(/ /, "", $2); print $2 }' |
        sort -u | sort -rV
}

# apt_fetch KIND NAME SUITE VERSION: download into the current directory; prints the version got.
# An empty VERSION means the newest. What the lists name may have left the mirror already, and the other
# way round: try the exact version, read the lists again, then try the suite's versions from the newest down.
apt_fetch() {
    local kind=$1 name=$2 suite=$3 want=$4 version
    if [ -n "$want" ]; then
        if apt_try "$kind" "$name" "$want" || { apt_update && apt_try "$kind" "$name" "$want"; }; then
            echo "$want"
            return
        fi
    fi
    for version in $(apt_newest "$kind" "$name" "$suite"); do
        apt_try "$kind" "$name" "$version" || continue
        [ -z "$want" ] || say "$name $want has left the archive: using $version (update rootfs/build/versions)"
        echo "$version"
        return
    done
    cat fetch.log >&2 2>/dev/null || true
    die "Debian's $suite has no package $name ($kind${want:+, $want}) that can be downloaded"
}

apt_try() {
    if [ "$1" = source ]; then
        apt-get -q source --download-only --only-source "$2=$3" >fetch.log 2>&1
    else
        apt-get -q download "$2:$1=$3" >fetch.log 2>&1 || apt-get -q download "$2=$3" >fetch.log 2>&1
    fi
}

# deb_source NAME: directory with NAME's .dsc, upstream and Debian archives, exactly as published.
deb_source() {
    local name=$1 suite version dir got tmp
    read -r suite version <<<"$(row source "$name")"
    [ -n "${version:-}" ] || die "rootfs/build/versions has no row \"source $name\""
    dir=$cache/sources/${name}_${version#*:}
    [ -d "$dir" ] || lock "$dir.lock"
    if [ ! -d "$dir" ]; then
        apt_private
        say "fetching the source of $name $version"
        mkdir -p "$cache/tmp"
        tmp=$(mktemp -d "$cache/tmp/source.XXXXXX")
        chmod 755 "$tmp"
        got=$(cd "$tmp" && apt_fetch source "$name" "$suite" "$version")
        rm -f "$tmp/fetch.log"
        echo "$name $got" >"$tmp/version"
        place "$tmp" "$dir"
    fi
    echo "$dir"
}

# deb_unpack NAME DIR: NAME's source with Debian's patches applied, as DIR.
deb_unpack() {
    local from
    from=$(deb_source "$1")
    dpkg-source --no-check -x "$from"/*.dsc "$2" >/dev/null
}

# deb_package NAME SUITE VERSION ARCH: directory with the unpacked files of a binary package.
# An empty VERSION means the newest at the time of the first call.
deb_package() {
    local name=$1 suite=$2 version=$3 arch=$4 dir got tmp
    dir=$cache/packages/${name}_${version:-$suite}_$arch
    dir=${dir//:/%3a}
    [ -d "$dir" ] || lock "$dir.lock"
    if [ ! -d "$dir" ]; then
        need dpkg xz-utils
        apt_private
        say "fetching $name ${version:-of $suite}"
        mkdir -p "$cache/tmp"
        tmp=$(mktemp -d "$cache/tmp/package.XXXXXX")
        chmod 755 "$tmp"
        got=$(cd "$tmp" && apt_fetch "$arch" "$name" "$suite" "$version")
        mkdir "$tmp/root"
        dpkg-deb -x "$tmp"/*.deb "$tmp/root"
        dpkg-deb -f "$tmp"/*.deb >"$tmp/root/.control"
        place "$tmp/root" "$dir"
        rm -rf "$tmp"
        say "$name $got unpacked"
    fi
    echo "$dir"
}
