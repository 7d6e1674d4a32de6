#!/usr/bin/env bash
# The tools of the templates in examples/deploy and examples/govern, each in a folder of its own in the cache: the CDK's library,
# the AWS CLI, Guard, and the maintained fork of Serverless Framework 3. Pinned and hashed. Once per machine, and again when a
# lock changes.
set -euo pipefail
cd "$(dirname "$0")/tools"
cache=${FSHIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-shield}/deploy
mkdir -p "$cache"
python=$(command -v "${PYTHON:-python3}")

for name in cdk awscli guard; do
    cmp -s "$name.lock" "$cache/$name/complete.lock" && continue
    rm -rf "${cache:?}/$name"
    "$python" -m venv "$cache/$name"
    "$cache/$name/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$name.lock"
    cp "$name.lock" "$cache/$name/complete.lock"
done

if ! cmp -s package-lock.json "$cache/serverless/complete.lock"; then
    rm -rf "$cache/serverless"
    mkdir -p "$cache/serverless"
    cp package.json package-lock.json "$cache/serverless/"
    (cd "$cache/serverless" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    cp package-lock.json "$cache/serverless/complete.lock"
fi
