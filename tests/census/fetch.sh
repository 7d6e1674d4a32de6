#!/usr/bin/env bash
# libc6 of older Debian releases, and of arm64, unpacked into the cache: the census reads them besides
# this machine's own. Once per machine. apt checks the archive's signatures; nothing is installed.
set -euo pipefail
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/census
command -v apt-get >/dev/null || { echo "tests/census/fetch.sh: only on Debian and its like" >&2; exit 2; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || keyring=${keyring%.gpg}.pgp
# The archive that this machine installs from.
# shellcheck disable=SC2016  # apt expands it
archive=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -1)

for want in trixie/arm64 bookworm/amd64 bookworm/arm64 bullseye/amd64 bullseye/arm64; do
    release=${want%/*} architecture=${want#*/} root=$cache/${want/\//-}
    [ -e "$root/complete" ] && continue
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
    : >"$work/status"
    echo "deb [signed-by=$keyring] $archive $release main" >"$work/sources.list"
    options=(-q -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
        -o "Dir::Cache::archives=$work/archives" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o APT::Sandbox::User=root
        -o Acquire::Languages=none)
    apt-get "${options[@]}" update >/dev/null
    (cd "$work/archives" && apt-get "${options[@]}" download libc6 >/dev/null)
    for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
    touch "$work/root/complete"
    rm -rf "$root"
    mv "$work/root" "$root"
    rm -rf "$work"
done
