#!/usr/bin/env bash
# Fetches the interpreters that this machine lacks into the cache: CPython 3.14 and 3.15 from Debian's
# unstable release (unpacked, not installed), Node.js 22 and 24 from their PyPI wheels (by hash).
# Once per machine. tests/support.py finds what is there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/interpreters
mkdir -p "$cache"

for version in 3.14 3.15; do
    # The extension modules link to libraries of this machine.
    "$here/unpack.sh" "$cache/python$version" sid "python$version" "python$version-minimal" \
        "libpython$version" "libpython$version-minimal" "libpython$version-stdlib" libmpdec4
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
