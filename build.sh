#!/bin/sh
# Makes .venv with fshield in it, and the layers of both architectures in dist/. Needs Python 3.10 or newer and PyPI.
#   ./build.sh          what people need
#   ./build.sh --test   and what the tests need
#   ./build.sh --demo   what the demo needs: this machine's layer alone
set -eu
cd "$(dirname "$0")"

usage() {
    cat <<'END'
usage: build.sh [--test | --demo]

Makes .venv with fshield in it, and the layers of both architectures in dist/.
Needs Python 3.10 or newer, or PYTHON=/path/to/python3, and PyPI.

  --test   what the tests need as well
  --demo   what the demo needs: this machine's layer alone
  --help   this text
END
}
case "$#:${1:-}" in
0: | 1:--test | 1:--demo) ;;
1:-h | 1:--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

# A line for each step that was needed, with the seconds that it took.
step() {
    echo "$(printf '%4s' "$(($(date +%s) - begun))") s  $1" >&2
    begun=$(date +%s)
}
begun=$(date +%s)

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
locks=requirements-demo.lock size='26 MB'
[ "${1:-}" = --test ] && locks=requirements.lock size='140 MB'
wanted="$("$python" --version 2>&1) $(cat requirements-demo.lock requirements.lock | cksum)"
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/.made-of 2>/dev/null)" != "$wanted" ]; then
    rm -rf .venv
    "$python" -m venv .venv
    echo "$wanted" >.venv/.made-of
    step ".venv with $("$python" --version 2>&1)"
fi
# Of the lock file the compiler (--only) or all but it (--other), and a line with the seconds.
packages() {
    begun=$(date +%s)
    awk -v wanted="$1" '/^#/ { next } /^[a-z]/ { zig = /^ziglang==/ } zig == (wanted == "--only")' "$locks" >".venv/$1.lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check $compile --require-hashes --requirement ".venv/$1.lock" &&
        step "$2"
}
# pip writes the compiler's 20,000 files one after the other. What does not need it is done beside it.
zig='' compile=''
[ "${1:-}" = --demo ] && compile=--no-compile
if [ ! -e .venv/.requirements.lock ] && [ ! -e ".venv/.$locks" ]; then
    if [ ! -e .venv/.requirements-demo.lock ]; then
        packages --only 'the compiler zig: 98 MB from PyPI, once' &
        zig=$!
    fi
    packages --other "other packages of $locks: $size from PyPI, once" || { wait; exit 1; }
    # Compiled once here, and not by each function that the demo runs: those write nothing.
    [ -z "$compile" ] || .venv/bin/python -c 'import boto3; boto3.client("s3", region_name="us-east-1")'
fi
# Entry points are read at installation.
installed=$(cat pyproject.toml layer/link.py | cksum)
if [ "$(cat .venv/.installed 2>/dev/null)" != "$installed" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    .venv/bin/python layer/link.py
    echo "$installed" >.venv/.installed
    step "fshield in .venv"
fi
[ -z "$zig" ] || wait "$zig"
touch ".venv/.$locks"
begun=$(date +%s)

# zig keeps its own cache; a folder of ours, outside /tmp, keeps it off the user's.
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield/zig}
ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
if [ "${1:-}" = --demo ]; then
    .venv/bin/python layer/build.py --unpacked
    step "the layer for this machine's architecture, by zig"
else
    exec .venv/bin/python layer/build.py
fi
