#!/bin/sh
# Makes the release of the commit that is checked out once more: as another user, in a Debian 12,
# with no file of this checkout but the commit. Compares with dist/release of `make release`. Needs
# root, debootstrap and the network, and some ten minutes.
set -eu
cd "$(dirname "$0")/.."
ours=$PWD/dist/release
[ -f "$ours/SHA256SUMS" ] || { echo "elsewhere.sh: run make release first" >&2; exit 2; }
folder=$PWD/build/elsewhere
rm -rf "$folder"
mkdir -p "$folder"
packages=python3,python3-venv,ca-certificates,git,make
debootstrap --variant=minbase --include=$packages bookworm "$folder/root" >"$folder/debootstrap.log"
for name in resolv.conf ssl/certs/ca-certificates.crt; do
    cp "/etc/$name" "$folder/root/etc/$name"
done
chroot "$folder/root" useradd --create-home --uid 4321 builder
git clone --quiet --no-hardlinks . "$folder/root/home/builder/another place"
chroot "$folder/root" chown -R builder: /home/builder
# shellcheck disable=SC2016
unshare --mount --pid --fork --kill-child sh -euc '
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" su builder -c "cd ~/another\ place && git remote remove origin && make release"
' enter "$folder/root"
cmp "$folder/root/home/builder/another place/dist/release/SHA256SUMS" "$ours/SHA256SUMS"
echo "the same bytes: $(wc -l <"$ours/SHA256SUMS") files"
