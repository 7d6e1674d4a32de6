"""fshield without boto3 checks and compiles policies. A command that needs boto3 says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

#: An environment in which Python cannot find boto3.
_HIDDEN = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('boto3', 'botocore'):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
def find_spec(name, package=None, real=importlib.util.find_spec):
    try:
        return real(name, package)
    except ModuleNotFoundError:
        return None
importlib.util.find_spec = find_spec
from fshield.cli.app import main
main()
"""


def fshield(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _HIDDEN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_policies_are_compiled(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
        "      - aws: [dynamodb, sqs]\n      - aws: {s3: {buckets: [mine]}}\n"
    )
    compiled = tmp_path / "p.policy"
    done = fshield("compile", str(policy), "-o", str(compiled))
    assert done.returncode == 0, done.stderr
    asked = fshield(
        "explain", str(compiled), "connect", "sqs.us-east-1.amazonaws.com", "--region", "us-east-1"
    )
    assert asked.returncode == 0 and "allowed" in asked.stdout, asked.stdout + asked.stderr
    assert fshield("check", str(policy)).returncode in {0, 1}
    assert fshield("schema").returncode == 0
    assert fshield("iam-policy", "attach").returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        ["attach", "x", "--layer-arn", "arn", "--policy", "monitor"],
        ["detach", "x"],
        ["status"],
        ["mode", "x", "alert"],
        ["ready", "x"],
        ["publish"],
        ["rollout", "policies.zip"],
        ["learn", "--log-group", "/aws/lambda/x"],
        ["tail", "--log-group", "/aws/lambda/x"],
        ["report", "--log-group", "/aws/lambda/x", "-o", "none.html"],
    ],
    ids=lambda words: words[0],
)
def test_what_talks_to_aws_names_the_extra(command: list[str], tmp_path: Path) -> None:
    done = fshield(*command, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    first, *_ = done.stderr.splitlines()
    assert "needs boto3, which the extra fshield[aws] installs" in first


def test_the_sentence_is_in_json_as_well() -> None:
    done = fshield("status", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 2 and answer["ok"] is False
    assert "fshield[aws]" in answer["error"]
