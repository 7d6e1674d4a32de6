#!/usr/bin/env bash
# Tracers and helpers of other makers, as their layers hold them in /opt/python: pinned and hashed, in the cache, for the
# Python that the tests run with. Once per machine, and again when the lock changes.
set -euo pipefail
cd "$(dirname "$0")"
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/others
mkdir -p "$cache"
python=${PYTHON:-../../.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3)

cmp -s others.lock "$cache/complete.lock" && exit
rm -rf "${cache:?}/python"
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --no-compile \
    --requirement others.lock --target "$cache/python"
cp others.lock "$cache/complete.lock"
