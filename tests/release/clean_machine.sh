#!/bin/sh
# What a user does with the wheel on a machine with Python and no compiler. Prints a line for each
# step, with its seconds. test_clean_machine.py runs it in a separate Debian.
#
#   clean_machine.sh WHEEL ENDPOINT FUNCTION
set -eu
wheel=$1 endpoint=$2 function=$3
begun=$(date +%s)
step() {
    echo "step: $(($(date +%s) - begun)) s  $1"
    begun=$(date +%s)
}

for tool in cc gcc clang tcc zig make git; do
    if command -v "$tool"; then
        echo "there is a $tool here" >&2
        exit 1
    fi
done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${wheel}[aws]" pytest
PATH=$PWD/venv/bin:$PATH
step "the wheel, and what it needs"
fshield demo
step "fshield demo"
at="--region eu-central-1 --endpoint-url $endpoint"
# shellcheck disable=SC2086
fshield publish --json $at >published.json
layer=$(python3 -c '
import json
answer = json.load(open("published.json"))
print(answer["layer_arn"][0].split("--layer-arn ")[1].strip("\x27"))')
# shellcheck disable=SC2086
fshield attach "$function" --layer-arn "$layer" --policy monitor $at
step "fshield publish and attach"
pytest -q -p no:cacheprovider --basetemp=base
step "a marked test"
