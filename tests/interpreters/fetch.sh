#!/usr/bin/env bash
# Fetches the interpreters that this machine lacks into the cache: CPython 3.14 and 3.15 from Debian's
# unstable release (unpacked, not installed), Node.js 22 and 24 from their PyPI wheels (by hash).
# Once per machine. apt checks the archive's signatures. tests/support.py finds what is there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/interpreters
command -v apt-get >/dev/null || { echo "tests/interpreters/fetch.sh: only on Debian and its like" >&2; exit 2; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || keyring=${keyring%.gpg}.pgp
# The archive that this machine installs from.
# shellcheck disable=SC2016  # apt expands it
archive=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -1)
mkdir -p "$cache"

for version in 3.14 3.15; do
    root=$cache/python$version
    [ -e "$root/complete" ] && continue
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
    : >"$work/status"
    echo "deb [signed-by=$keyring] $archive sid main" >"$work/sources.list"
    options=(-q -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
        -o "Dir::Cache::archives=$work/archives" -o "Dir::Etc::sourcelist=$work/sources.list"
        -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none)
    apt-get "${options[@]}" update >/dev/null
    # The extension modules link to libraries of this machine.
    wanted=("python$version" "python$version-minimal" "libpython$version" "libpython$version-minimal"
        "libpython$version-stdlib" libmpdec4)
    (cd "$work/archives" && for package in "${wanted[@]}"; do
        apt-get "${options[@]}" download "$package" >/dev/null
    done)
    for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
    touch "$work/root/complete"
    rm -rf "$root"
    mv "$work/root" "$root"
    rm -rf "$work"
done

# That release's libc may be newer than this machine's.
for module in "$cache"/python3.*/usr/lib/python3.*/lib-dynload/termios.*.so; do
    "$here/../../.venv/bin/python" "$here/older_libc.py" "$module" GLIBC_2.42
done

for version in 22 24; do
    root=$cache/node$version
    [ -e "$root/complete" ] && continue
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --target "$work/root" --requirement "$here/node$version.lock"
    touch "$work/root/complete"
    rm -rf "$root"
    mv "$work/root" "$root"
    rm -rf "$work"
done
