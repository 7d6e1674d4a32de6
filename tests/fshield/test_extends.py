"""``extends:`` and the floor: what is inherited, what is not, and the errors for a wrong chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine.check import check
from fshield.engine.compiler import compile_policy
from fshield.engine.decide import Compiled, Facts
from fshield.engine.explain import connect, subject
from fshield.errors import PolicyError
from fshield.language.loader import load
from fshield.language.policy import Family, Mode

BASE = """\
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - host: telemetry.example.org
  read_write_tmp: alert
  native_code: block
allow_reconfigure: true
allow_mode_override: []
events: {format: json, allowed: first, emf_namespace: Shield}
kernel: {file_size: on}
tests:
  - blocked: {connect: evil.example.org}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def test_what_a_reporting_base_keeps_quiet_about_is_no_exception(tmp_path: Path) -> None:
    """`default` lists packages that import ctypes at every start. A policy that extends it and
    blocks native code blocks theirs too."""
    quiet = "version: 1\npolicy:\n  native_code: {mode: alert, allow: [numpy]}\n"
    block = "version: 1\nextends: base.yaml\npolicy: {native_code: {mode: block, allow: [PIL]}}\n"
    stays = "version: 1\nextends: base.yaml\n"
    for text, wanted in ((block, ["PIL"]), (stays, ["numpy"])):
        policy = load(write(tmp_path, shop=text, base=quiet))
        assert [entry.text for entry in policy.allows] == wanted
    enforced = quiet.replace("alert", "block")
    policy = load(write(tmp_path, shop=block, base=enforced))
    assert [entry.text for entry in policy.allows] == ["numpy", "PIL"]


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_what_is_left_out_is_as_in_the_base(tmp_path: Path) -> None:
    policy = load(write(tmp_path, shop="version: 1\nextends: base.yaml\n", base=BASE))
    assert policy.name == "shop"
    assert [(mode.mode, mode.source) for mode in policy.modes.values()] == [
        (Mode.BLOCK, "base.yaml:4"),
        (Mode.ALERT, "base.yaml:7"),
        (Mode.BLOCK, ""),
        (Mode.BLOCK, ""),
        (Mode.BLOCK, "base.yaml:8"),
        (Mode.ALERT, ""),
    ]
    assert [entry.source for entry in policy.allows] == ["base.yaml:6"]
    assert policy.allow_reconfigure and policy.mode_overrides == () and policy.kernel_file_size
    assert policy.events_allowed_first and policy.emf_namespace == "Shield"


def test_what_is_stated_counts_and_entries_are_added(tmp_path: Path) -> None:
    own = """\
version: 1
extends: base.yaml
policy:
  outbound_connectivity:
    allow: [{host: api.stripe.com}]
  read_write_tmp: block
  create_child_process: allow
allow_reconfigure: false
allow_mode_override: [off]
events: {format: ocsf}
kernel: {file_size: off}
"""
    policy = load(write(tmp_path, shop=own, base=BASE))
    assert policy.modes[Family.OUTBOUND].source == "base.yaml:4"
    assert (
        policy.modes[Family.TMP].mode is Mode.BLOCK
        and policy.modes[Family.PROCESS].mode is Mode.ALLOW
    )
    assert [entry.source for entry in policy.allows] == ["base.yaml:6", "shop.yaml:5"]
    assert (
        not policy.allow_reconfigure
        and policy.mode_overrides == ("off",)
        and not policy.kernel_file_size
    )
    assert (
        policy.events_format == "ocsf"
        and policy.events_allowed_first
        and policy.emf_namespace == "Shield"
    )
    compiled = Compiled(compile_policy(policy))
    for host in ("telemetry.example.org", "api.stripe.com"):
        assert connect(compiled, f"{host}:443", Facts())[0].mode is Mode.ALLOW


def test_the_own_default_does_not_undo_a_mode_of_the_base(tmp_path: Path) -> None:
    policy = load(
        write(tmp_path, shop="version: 1\nextends: base.yaml\ndefault: allow\n", base=BASE)
    )
    assert policy.modes[Family.OUTBOUND].mode is Mode.BLOCK
    assert policy.modes[Family.PROCESS].mode is Mode.ALLOW


def test_a_test_of_the_base_holds_for_those_who_extend_it(tmp_path: Path) -> None:
    own = (
        "version: 1\nextends: base.yaml\npolicy: {outbound_connectivity: {allow: [{host:"
        " evil.example.org}]}}\n"
    )
    path = write(tmp_path, shop=own, base=BASE)
    code, out = invoke("test", str(path))
    assert code == 1
    assert "base.yaml:14  connect evil.example.org  under shop" in out and "shop.yaml:3" in out
    code, out = invoke("package", str(tmp_path), "-o", str(tmp_path / "out.zip"))
    assert code == 2 and not (tmp_path / "out.zip").exists()
    assert "is allowed under shop, and this test wants it blocked" in out


def test_explain_shows_the_line_of_the_base(tmp_path: Path) -> None:
    path = write(tmp_path, shop="version: 1\nextends: base.yaml\n", base=BASE)
    assert subject(path).line("base.yaml:6") == "- host: telemetry.example.org"
    code, out = invoke("explain", str(path), "connect", "telemetry.example.org:443")
    assert code == 0 and "base.yaml:6  - host: telemetry.example.org" in out


def test_a_chain_of_three_in_folders(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    write(tmp_path / "platform", root=BASE)
    write(
        tmp_path, team="version: 1\nextends: platform/root.yaml\npolicy: {read_write_tmp: block}\n"
    )
    policy = load(write(tmp_path, shop="version: 1\nextends: team.yaml\n"))
    assert policy.modes[Family.TMP].source == "team.yaml:3"
    assert policy.modes[Family.OUTBOUND].source == "root.yaml:4"
    assert list(policy.documents()) == ["root.yaml", "team.yaml", "shop.yaml"]


@pytest.mark.parametrize(
    ("files", "place", "sentence"),
    [
        ({"shop": "version: 1\nextends: nowhere.yaml\n"}, "shop.yaml:2:10", "there is no file"),
        ({"shop": "version: 1\nextends: shop.yaml\n"}, "shop.yaml:2:10", "in a circle"),
        (
            {
                "shop": "version: 1\nextends: team.yaml\n",
                "team": "version: 1\nextends: shop.yaml\n",
            },
            "team.yaml:2:10",
            "in a circle",
        ),
        ({"shop": "version: 1\nextends: .\n"}, "shop.yaml:2:10", "there is no file"),
        ({"shop": "version: 1\nextends: [a]\n"}, "shop.yaml:2:10", "not text"),
        (
            {"shop": "version: 1\nextends: old.yaml\n", "old": "policy: {read_handler: block}\n"},
            "shop.yaml:2:10",
            "options",
        ),
        (
            {
                "shop": "version: 1\nextends: base.yaml\n",
                "base": "version: 1\npolicy: {nothing: block}\n",
            },
            "base.yaml:2:10",
            "",
        ),
        (
            {
                "shop": (
                    "version: 1\nextends: base.yaml\npolicy: {outbound_connectivity: {allow: "
                    "[{host: telemetry.example.org}]}}\n"
                ),
                "base": BASE,
            },
            "shop.yaml:3:42",
            "base.yaml:6 (host: telemetry.example.org) allows the same",
        ),
    ],
)
def test_wrong_chains(tmp_path: Path, files: dict[str, str], place: str, sentence: str) -> None:
    path = write(tmp_path, **files)
    with pytest.raises(PolicyError) as caught:
        load(path)
    assert caught.value.finding.place == str(tmp_path / place)
    assert sentence in caught.value.finding.message


def test_a_long_chain_ends(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path, **{f"p{number}": f"version: 1\nextends: p{number + 1}.yaml\n"})
    with pytest.raises(PolicyError, match="longer than 8"):
        load(tmp_path / "p0.yaml")


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    write(tmp_path / "platform", shop=BASE)
    with pytest.raises(PolicyError, match="both policies are called shop"):
        load(write(tmp_path, shop="version: 1\nextends: platform/shop.yaml\n"))


def test_an_expired_entry_of_the_base_is_reported_there(tmp_path: Path) -> None:
    base = (
        "version: 1\npolicy: {outbound_connectivity: {allow: [{host: a.example.org, expires:"
        " 2020-01-01}]}}\n"
    )
    found = check(write(tmp_path, shop="version: 1\nextends: base.yaml\n", base=base))
    assert [finding.file for finding in found if finding.level == "warning"] == [
        str(tmp_path / "base.yaml")
    ]


FLOOR = """\
version: 1
policy:
  outbound_connectivity:
    allow: [{host: "*.example.org"}]
  read_write_tmp: allow
  create_child_process: block
"""


def test_the_floor_beside_a_policy_is_asked_too(tmp_path: Path) -> None:
    own = """\
version: 1
policy:
  outbound_connectivity:
    allow:
      - host: www.example.org
      - host: api.stripe.com
  create_child_process: {mode: block, allow: [/usr/bin/uname]}
tests:
  - allowed: {connect: [www.example.org, api.stripe.com]}
"""
    path = write(tmp_path, shop=own, floor=FLOOR)
    code, out = invoke("test", str(path))
    assert code == 1 and "connect api.stripe.com" in out and "connect www" not in out
    warnings = [finding for finding in check(path) if finding.level == "warning"]
    assert [(finding.line, finding.column) for finding in warnings] == [(6, 9), (7, 47)]
    (tmp_path / "floor.yaml").unlink()
    assert invoke("test", str(path))[0] == 0
    assert not [finding for finding in check(path) if finding.level == "warning"]


def test_a_policy_cannot_be_packed_against_its_floor(tmp_path: Path) -> None:
    own = "version: 1\npolicy: {outbound_connectivity: {allow: [{host: a.test}]}}\n"
    own += "tests: [{allowed: {connect: a.test}}]\n"
    write(tmp_path, shop=own, floor=FLOOR)
    code, out = invoke("package", str(tmp_path), "-o", str(tmp_path / "out.zip"))
    assert code == 2 and "connect a.test is blocked" in out
