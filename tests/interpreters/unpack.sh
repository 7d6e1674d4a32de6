#!/usr/bin/env bash
# unpack.sh FOLDER SUITE PACKAGE…: packages of a release of Debian, unpacked into FOLDER and not
# installed. apt checks the archive's signatures. Does nothing where FOLDER is complete.
set -euo pipefail
root=$1 suite=$2
shift 2
[ -e "$root/complete" ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "tests/interpreters/unpack.sh: only on Debian and its like" >&2
    exit 2
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || keyring=${keyring%.gpg}.pgp
# The archive that this machine installs from.
# shellcheck disable=SC2016  # apt expands it
archive=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -1)
mkdir -p "$(dirname "$root")"
work=$(mktemp -d "$(dirname "$root")/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
: >"$work/status"
echo "deb [signed-by=$keyring] $archive $suite main" >"$work/sources.list"
options=(-q -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Cache::archives=$work/archives" -o "Dir::Etc::sourcelist=$work/sources.list"
    -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none)
apt-get "${options[@]}" update >/dev/null
(cd "$work/archives" && for package in "$@"; do
    apt-get "${options[@]}" download "$package" >/dev/null
done)
for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
touch "$work/root/complete"
rm -rf "$root"
mv "$work/root" "$root"
