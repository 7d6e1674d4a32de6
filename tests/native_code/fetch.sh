#!/usr/bin/env bash
# Brings into the cache what rows of address_calls.yaml need: a virtual environment with the packages of packages.lock, for
# the Python that the tests run with, and SQLite 3.7.17, which Amazon Linux 2 has, from an old npm package that carries its
# source. Once per machine, and again when the lock changes.
set -euo pipefail
cd "$(dirname "$0")"
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/native_code
mkdir -p "$cache"
python=${PYTHON:-../../.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3)

if ! cmp -s packages.lock "$cache/complete.lock"; then
    rm -rf "${cache:?}/packages"
    # The modules must lie below the prefix of the program, otherwise the guard would refuse to load
    # them.
    "$(readlink -f "$python")" -m venv --without-pip "$cache/packages"
    "$python" -m pip --python "$cache/packages/bin/python" install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: --no-compile --requirement packages.lock
    cp packages.lock "$cache/complete.lock"
fi

[ -e "$cache/sqlite-3.7.17/libsqlite3.so.0" ] && exit
work=$(mktemp -d "$cache/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent sqlite3@2.1.19 >/dev/null
sha256sum --check --quiet <<<"0253e6efd8c7885f26e9cd7d6858152c654122809db42898f3cf1ecef4d5c7e6  sqlite3-2.1.19.tgz"
tar -xzf sqlite3-2.1.19.tgz package/deps/sqlite-autoconf-3071700.tar.gz
tar -xzf package/deps/sqlite-autoconf-3071700.tar.gz --strip-components 1
# As Amazon Linux 2 builds it.
mkdir sqlite-3.7.17
"${CC:-cc}" -O1 -fPIC -shared -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_FTS3=3 -DSQLITE_ENABLE_RTREE -DSQLITE_SECURE_DELETE \
    -DSQLITE_ENABLE_UNLOCK_NOTIFY sqlite3.c -o sqlite-3.7.17/libsqlite3.so.0 \
    -Wl,-soname,libsqlite3.so.0 -ldl -lpthread
rm -rf "$cache/sqlite-3.7.17"
mv sqlite-3.7.17 "$cache/"
