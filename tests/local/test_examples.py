"""The examples do what they claim."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, core_file

THUMBNAILER = ROOT / "examples" / "thumbnailer"


def test_the_thumbnailer_does_not_know_of_the_guard() -> None:
    paths = [path for path in THUMBNAILER.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert THUMBNAILER / "app.py" in paths
    for path in paths:
        text = path.read_text("utf-8").lower()
        assert not any(word in text for word in ("shield", "guard", "fshield")), path


def test_the_dependency_is_as_its_record_says() -> None:
    with (THUMBNAILER / "tintbox-1.4.2.dist-info" / "RECORD").open(newline="") as file:
        rows = list(csv.reader(file))
    assert {row[0] for row in rows} >= {
        f"tintbox/{name}.py" for name in ("__init__", "_colours", "_report", "_usage")
    }
    for name, digest, size in rows:
        content = (THUMBNAILER / name).read_bytes()
        if digest:
            assert len(content) == int(size), name
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert digest == f"sha256={found}", name


def test_the_probe_answers_with_one_object() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "probe" / "app.py")],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["rings"]["line"].startswith("libc and interpreter rings: can hold")
    assert all(
        result.keys() & {"ok", "errno", "signal", "timeout"}
        for result in answer["attempts"].values()
    ), answer["attempts"]
    assert not list(Path("/tmp").glob(".probe-*"))


@pytest.mark.parametrize("name", ["sam/template.yaml", "alarm.yaml", "fleet.yaml"])
def test_the_template_passes_cfn_lint(name: str) -> None:
    pytest.importorskip("cfnlint")
    template = ROOT / "examples" / "deploy" / name
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [linter, template], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alarm_sums_every_metric_that_the_engine_writes() -> None:
    """For each rule that can block, with the dimensions that events have."""
    text = (ROOT / "examples" / "deploy" / "alarm.yaml").read_text()
    names = set(re.findall(r"Name: policy, Value: (\w+)", text))
    source = core_file("policy.c").read_text()
    found = re.search(r"fs_family_names\[[^]]*\] = \{([^}]*)\}", source)
    assert found
    assert names == set(re.findall(r'"(\w+)"', found[1]))
    metrics = re.findall(r"- Id: (\w+)\n\s+ReturnData: false", text)
    assert len(metrics) == len(names)
    assert sorted(re.findall(r"FILL\((\w+), 0\)", text)) == sorted(metrics)


def test_the_fleet_asks_for_metrics_that_the_engine_writes() -> None:
    """SCHEMA selects metrics by exactly these dimensions. With others the query finds none."""
    source = core_file("ocsf.c").read_text().partition("void ocsf_write_metrics")[2]
    written = {
        frozenset(re.findall(r'\\"(\w+)\\"', group))
        for group in re.findall(r'\[((?:\\"\w+\\",?)+)\]', source)
    }
    assert written == {
        frozenset({"policy", "mode"}),
        frozenset({"function", "policy", "mode"}),
    }
    text = (ROOT / "examples" / "deploy" / "fleet.yaml").read_text()
    body = re.search(r"DashboardBody: !Sub \|\n(.*?)\n\n", text, re.S)
    assert body
    widgets = json.loads(body[1])["widgets"]
    queries = [
        each["properties"]["metrics"][0][0]["expression"]
        for each in widgets
        if each["type"] == "metric"
    ]
    assert len(queries) == 4
    alarms = re.findall(r"Expression: !Sub >-\n +(SELECT .*)\n +(.*)", text)
    assert len(alarms) == 2
    for query in [*queries, *(" ".join(alarm) for alarm in alarms)]:
        found = re.fullmatch(
            r'SELECT SUM\("count"\) FROM SCHEMA\("\$\{Namespace\}", ([^)]*)\)'
            r" WHERE \"mode\" = '(block|alert)' GROUP BY \"(function|policy)\""
            r"(?: ORDER BY SUM\(\) DESC)?(?: LIMIT 25)?",
            query,
        )
        assert found, query
        dimensions = frozenset(re.findall(r'"(\w+)"', found[1]))
        assert dimensions in written
        assert found[3] in dimensions
