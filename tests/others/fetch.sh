#!/usr/bin/env bash
# Tracers and helpers of other vendors, as their layers contain them, pinned and hashed, in the
# cache. For Python there is one folder for each lock file, for the Python that the tests run with
# (/opt/python). For Node there is /opt/nodejs, which needs npm. Once per machine, and again when a
# lock file changes.
set -euo pipefail
cd "$(dirname "$0")"
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/others
mkdir -p "$cache"
python=${PYTHON:-../../.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3)

for name in others handlers signals durable; do
    cmp -s "$name.lock" "$cache/$name/complete.lock" && continue
    rm -rf "${cache:?}/$name"
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --no-compile \
        --requirement "$name.lock" --target "$cache/$name/packages"
    cp "$name.lock" "$cache/$name/complete.lock"
done

if ! cmp -s node/package-lock.json "$cache/node/complete.lock"; then
    rm -rf "$cache/node"
    mkdir -p "$cache/node/packages"
    cp node/package.json node/package-lock.json "$cache/node/packages/"
    (cd "$cache/node/packages" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    cp node/package-lock.json "$cache/node/complete.lock"
fi
