#!/usr/bin/env bash
# Debian's arm64 Python and libc, unpacked into the cache: what qemu runs the arm64 core under. Once per machine.
# apt checks the archive's signatures; nothing is installed, and the machine's architectures stay as they are.
set -euo pipefail
root=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/arm64
[ -e "$root/complete" ] && exit 0
command -v apt-get >/dev/null || { echo "tests/arm64/fetch.sh: only on Debian and its like" >&2; exit 2; }

mkdir -p "${root%/*}"
work=$(mktemp -d "${root%/*}/arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
options=(-q -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "APT::Sandbox::User=root"
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
apt-get "${options[@]}" update >/dev/null
python=$(apt-cache "${options[@]}" depends python3-minimal | sed -n 's/.*Depends: \(python3\.[0-9]*\)-minimal.*/\1/p' | head -1)
(cd "$work/archives" && apt-get "${options[@]}" download libc6 libgcc-s1 "$python" "$python-minimal" \
    "lib$python-minimal" "lib$python-stdlib" zlib1g libexpat1 libssl3t64 libffi8 libsqlite3-0 libzstd1 dash) >/dev/null
for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
[ -e "$work/root/lib" ] || ln -s usr/lib "$work/root/lib"
[ -e "$work/root/bin" ] || ln -s usr/bin "$work/root/bin"
echo "$python" >"$work/root/complete"
rm -rf "$root"
mv "$work/root" "$root"
