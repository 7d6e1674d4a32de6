#!/bin/sh
# Makes .venv with fshield in it, and the layers of both architectures in dist/. Needs Python 3.10 or newer and PyPI.
set -eu
cd "$(dirname "$0")"

python=${PYTHON:-}
if [ -z "$python" ]; then
    for name in python3 python3.13 python3.12 python3.11 python3.10; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            python=$name
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "build.sh: Python 3.10 or newer with venv is needed: install it, or name one as PYTHON=/path/to/python3" >&2
    exit 2
fi

# The environment is made anew when the pinned packages change.
wanted=$(cksum <requirements.lock)
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/.requirements 2>/dev/null)" != "$wanted" ]; then
    echo "build.sh: making .venv with $("$python" --version 2>&1) (the packages are downloaded once)" >&2
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    echo "$wanted" >.venv/.requirements
fi

# zig keeps its own cache; a folder of ours, outside /tmp, keeps it off the user's.
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield/zig}
ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
exec .venv/bin/python layer/build.py
