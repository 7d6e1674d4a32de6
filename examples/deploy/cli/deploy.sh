#!/usr/bin/env bash
# Puts one function under FunctionShield, open, with only the AWS CLI:
#
#   ./build.sh && examples/deploy/cli/deploy.sh FUNCTION POLICY
#
# `fshield attach` does the same for many functions, asks before it changes anything, and can undo
# it. If you deploy functions from templates, put the guard into the template: the next deployment
# undoes what a command has changed.
set -euo pipefail
function=${1:?usage: deploy.sh FUNCTION POLICY} policy=${2:?usage: deploy.sh FUNCTION POLICY}
dist=${DIST:-$(dirname "$0")/../../../dist}

# The configuration is read once, so that the checked one is also the changed one. The update sends
# back its revision id.
found=$(aws lambda get-function-configuration --function-name "$function" --output json)
read -r runtime architecture revision < <(python3 -c '
import json, sys
found = json.load(sys.stdin)
print(found.get("Runtime") or "image", (found.get("Architectures") or ["x86_64"])[0], found["RevisionId"])' <<<"$found")
case $runtime in
python3.* | nodejs*) ;;
*) echo "deploy.sh: $runtime does not run exec wrappers: see docs/lambda.md" >&2; exit 1 ;;
esac

layer=$(aws lambda publish-layer-version --layer-name "function-shield-$architecture" \
    --description "FunctionShield, open (exec wrapper, $architecture)" --license-info Apache-2.0 \
    --compatible-architectures "$architecture" --zip-file "fileb://$dist/function-shield-layer-$architecture.zip" \
    --query LayerVersionArn --output text)

# The update replaces variables and layers as a whole, so the existing ones are included. The
# guard's layer comes last, because a later layer could replace its files.
change=$(LAYER=$layer POLICY=$policy python3 -c '
import json, os, sys
found = json.load(sys.stdin)
variables = dict((found.get("Environment") or {}).get("Variables") or {})
layers = [layer["Arn"] for layer in found.get("Layers") or []]
guard = "/opt/function-shield"
existing = variables.get("AWS_LAMBDA_EXEC_WRAPPER", guard)
if existing != guard:
    variables["FUNCTION_SHIELD_NEXT_WRAPPER"] = existing
variables |= {"AWS_LAMBDA_EXEC_WRAPPER": guard, "FUNCTION_SHIELD_POLICY": os.environ["POLICY"]}
layers = [arn for arn in layers if ":function-shield-" not in arn] + [os.environ["LAYER"]]
print(json.dumps({"Layers": layers, "Environment": {"Variables": variables}}))' <<<"$found")

# If somebody else has changed the function since it was read, the revision id differs, and nothing
# is changed.
aws lambda update-function-configuration --function-name "$function" --revision-id "$revision" \
    --cli-input-json "$change" --query '{Function: FunctionName, Layers: Layers[].Arn}' --output json
aws lambda wait function-updated-v2 --function-name "$function"
