#!/bin/sh
# Makes .venv with fshield in it, and the layers of both architectures in dist/. Needs Python 3.10 or newer and PyPI.
#   ./build.sh          what people and the demo need
#   ./build.sh --test   and what the tests need
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

# The environment holds what the build and the demo need, and with --test what the tests need as well. It is made anew when
# the pinned packages change.
locks=requirements-demo.lock
[ "${1:-}" = --test ] && locks=requirements.lock
wanted="$("$python" --version 2>&1) $(cat requirements-demo.lock requirements.lock | cksum)"
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/.made-of 2>/dev/null)" != "$wanted" ]; then
    echo "build.sh: making .venv with $("$python" --version 2>&1); packages are downloaded once" >&2
    rm -rf .venv
    "$python" -m venv .venv
    echo "$wanted" >.venv/.made-of
fi
if [ ! -e .venv/.requirements.lock ] && [ ! -e ".venv/.$locks" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$locks"
    touch ".venv/.$locks"
fi
# Entry points are read at installation.
installed=$(cksum <pyproject.toml)
if [ "$(cat .venv/.installed 2>/dev/null)" != "$installed" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    echo "$installed" >.venv/.installed
fi

# zig keeps its own cache; a folder of ours, outside /tmp, keeps it off the user's.
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield/zig}
ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
exec .venv/bin/python layer/build.py
