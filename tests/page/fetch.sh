#!/usr/bin/env bash
# axe-core, which tests/page checks the report with, in the cache. Pinned and hashed. Once per machine, and again when the lock
# changes.
set -euo pipefail
cd "$(dirname "$0")/tools"
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/page

if ! cmp -s package-lock.json "$cache/complete.lock"; then
    rm -rf "$cache"
    mkdir -p "$cache"
    cp package.json package-lock.json "$cache/"
    (cd "$cache" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    cp package-lock.json "$cache/complete.lock"
fi
