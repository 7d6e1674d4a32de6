#!/usr/bin/env bash
# The packages of packages.lock, each of which has a row in packages.yaml, in an environment in the
# cache (1 GB). Once per Python, and again when the lock file changes. Prints the interpreter.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../../.venv/bin/python}
digest=$(sha256sum packages.lock | cut -c1-12)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
root=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/packages/$version-$digest
if [ ! -e "$root/complete" ]; then
    rm -rf "$root"
    # The modules must lie below the prefix of the program, otherwise the guard would refuse to load
    # them.
    "$(readlink -f "$python")" -m venv --without-pip "$root"
    "$python" -m pip --python "$root/bin/python" install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: --no-compile --requirement packages.lock >&2
    touch "$root/complete"
fi
echo "$root/bin/python"
