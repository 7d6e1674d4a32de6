"""The permissions that iam-policy prints are exactly those that the commands use."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from fshield.cli.app import app
from fshield.fleet import iam
from tests import support
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, Fleet
from tests.fleet.rolling import policies
from tests.fleet.stand_in import StandIn
from tests.fleet.test_ready import Log

SERVICE = {
    "GetResources": "tag",
    "FilterLogEvents": "logs",
    "DescribeLogGroups": "logs",
    "StartQuery": "logs",
    "GetQueryResults": "logs",
    "GetMetricData": "cloudwatch",
    "AssumeRole": "sts",
    "ListAccounts": "organizations",
}


def actions(command: str) -> set[str]:
    return {
        action for statement in iam.document(command)["Statement"] for action in statement["Action"]
    }


def test_the_table_is_what_the_commands_call(
    stand_in: StandIn, fleet: Fleet, tmp_path: Path
) -> None:
    fleet.function("f", Tags={"team": "a"})
    version = fleet.client.publish_version(FunctionName="f")["Version"]
    fleet.client.create_alias(FunctionName="f", Name="live", FunctionVersion=version)
    Log(fleet)
    attach = ("--layer-arn", ENGINE, "--policy", "monitor")
    stand_in.client("organizations").create_organization(FeatureSet="ALL")
    archive = policies(tmp_path)
    rules = ("--watch", "0", "--min-starts", "0")
    role = ("--role-name", "guard", "--organization")
    runs: dict[str, list[tuple[str, ...]]] = {
        "attach": [
            ("f", *attach),
            ("--all", "--yes", *attach),
            ("--tag", "team=a", *attach),
            ("f", *attach, *role),
        ],
        "mode": [
            ("f", "alert"),
            ("f", "off", "--alias", "live", "--force"),
            ("f", "policy", *role),
            ("f", "policy", "--alias", "live"),
        ],
        "status": [("f",), (), ("--tag", "team=a"), role],
        "ready": [("f", "--log-group", "/aws/lambda/api")],
        "rollout": [
            (str(archive), *names, *rules, "--journal", str(tmp_path / str(number)))
            for number, names in enumerate(
                [
                    ("f",),
                    ("--all", "--yes"),
                    ("--tag", "team=a"),
                    ("f", *role),
                    ("f", "--alias", "live"),
                ]
            )
        ],
        "detach": [("f",), ("--all", "--yes"), ("--tag", "team=a"), ("f", *role)],
        "publish": [
            (
                "--dist",
                str(support.ROOT / "dist"),
                "--organization-id",
                "o-abcdefghij",
                "--keep",
                "1",
            )
        ],
    }
    listed = tmp_path / "SHA256SUMS"
    listed.write_text(f"{'0' * 64}  other.zip\n")
    # Before the others, because publish removes the version that verify reads.
    runs = {"verify": [("--unsigned", "--sums", str(listed), "--layer", ENGINE)], **runs}
    for number in range(3):
        fleet.layer(
            "function-shield-x86_64", f"FunctionShield, open 0.0.{number} (x86_64)", ("x86_64",)
        )
    for command, several in runs.items():
        stand_in.operations = Counter()
        for words in several:
            ran = fshield(stand_in, command, *words)
            assert ran.code in (0, 1), ran.out + ran.err
        called = {f"{SERVICE.get(each, 'lambda')}:{each}" for each in stand_in.operations}
        wanted = actions(command)
        if command == "detach":
            # Lambda itself reads the layers, with the caller's permissions. fshield does not call
            # it.
            wanted -= {"lambda:GetLayerVersion"}
        # A query is stopped only when the command is interrupted.
        assert called == wanted - {"logs:StopQuery"}, command


def test_every_command_that_reads_log_groups_is_known() -> None:
    group: Any = typer.main.get_command(app)
    commands = {name: group.get_command(None, name) for name in group.list_commands(None)}
    readers = {
        name
        for name, command in commands.items()
        if any("--log-group" in parameter.opts for parameter in command.params)
    }
    assert readers >= {"learn", "replay", "report", "tail", "ready"}
    reads = {"logs:FilterLogEvents", "logs:StartQuery"}
    known = {command for command in iam.NEEDS if actions(command) & reads}
    assert known == readers | {"rollout"}, "rollout reads the functions' own log groups"
    assert iam.NEEDS["replay"] == iam.NEEDS["learn"], "both read through the same source"


def test_options_and_fields_narrow_it(stand_in: StandIn) -> None:
    ran = fshield(
        stand_in,
        "iam-policy",
        "attach",
        "--account",
        "123456789012",
        "--function",
        "team-*",
        "--with=--all",
    )
    assert ran.code == 0
    document = json.loads(ran.out)
    text = json.dumps(document)
    assert "arn:aws:lambda:eu-central-1:123456789012:function:team-*" in text
    assert "tag:GetResources" not in text
    assert "lambda:ListFunctions" in text
