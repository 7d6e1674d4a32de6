#!/usr/bin/env bash
# The dependencies of the twelve functions, as requirements.lock pins them, in an environment of their own in the cache. Once per Python.
# Prints the interpreter. PYTHON chooses which Python it is made from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
digest=$(sha256sum "$here/requirements.lock" | cut -c1-12)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
root=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/honest/$version-$digest
if [ ! -e "$root/complete" ]; then
    mkdir -p "${root%/*}"
    work=$(mktemp -d "${root%/*}/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    "$python" -m venv "$work/env"
    "$work/env/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: \
        --require-hashes --requirement "$here/requirements.lock" >&2
    touch "$work/env/complete"
    rm -rf "$root"
    mv "$work/env" "$root"
fi
echo "$root/bin/python"
