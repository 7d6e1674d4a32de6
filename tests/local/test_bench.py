"""The benchmark's arithmetic and its tools. No test checks its figures."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from tests.support import ROOT


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("run")


def test_figures_are_paired(bench: ModuleType) -> None:
    figure = bench.Figure(
        "connect",
        "connect",
        "ns",
        {"bare": [100.0, 1000.0, 100.0], "guarded": [104.0, 1040.0, 104.0]},
    )
    row = bench.judged(figure, {"connect": {"ratio": 1.05}})
    assert row["ratio"] == pytest.approx(1.04)
    assert row["added"] == pytest.approx(4)
    assert row["met"] is True
    assert bench.judged(figure, {"connect": {"ratio": 1.01}})["met"] is False
    assert bench.judged(figure, {})["met"] is None


def test_the_page_gets_the_figures(bench: ModuleType) -> None:
    """The text around the figures stays, and a second run writes the same page."""
    figures = [
        bench.Figure("connect", "connect", "ns", {"bare": [100.0], "guarded": [120.0]}),
        bench.Figure("zip", "layer zip", "KB", {"guarded": [229.0]}),
    ]
    rows = [bench.judged(figure, {"connect": {"ratio": 1.05}}) for figure in figures]
    before = "Above.\n\n<!-- figures -->\nold\n<!-- end of figures -->\n\nBelow.\n"
    page = bench.page(rows, before)
    assert "| connect | ×1.20 | +20 ns | 120 ns | ×1.05 (missed) |" in page
    assert "| layer zip |  |  | 229 KB |  |" in page
    assert page.startswith("Above.\n") and page.endswith("\n\nBelow.\n") and "old" not in page
    assert bench.page(rows, page) == page
    with pytest.raises(RuntimeError, match="has no"):
        bench.page(rows, "nothing to replace")


def test_a_budget_over_the_floor(bench: ModuleType) -> None:
    figure = bench.Figure(
        "audit", "audit", "ns", {"bare": [30.0], "floor": [60.0], "guarded": [63.0]}
    )
    row = bench.judged(figure, {"audit": {"added": 5.0, "over": "floor"}})
    assert (row["added"], row["met"]) == (3.0, True)


def test_the_table_fits_80_columns(bench: ModuleType) -> None:
    figure = bench.Figure(
        "create_shared_tmp",
        "open+close, creating, /tmp no mount",
        "ns",
        {"bare": [99999.0], "floor": [99999.0], "guarded": [999999.0]},
    )
    rows = [bench.judged(figure, {"create_shared_tmp": {"added": 1.0}})]
    out = io.StringIO()
    Console(file=out, width=200).print(bench.table(rows, "3.13.0"))
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
    assert "miss" in out.getvalue()


def test_the_tools_compile_and_time(bench: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    tools = importlib.import_module("native_tools").compile_tools(tmp_path / "tools")
    file = tmp_path / "file"
    file.write_bytes(b"x")
    for call in ("open", "create", "connect", "lookup"):
        done = subprocess.run(
            [tools.micro, call, "20", file], capture_output=True, text=True, timeout=30, check=True
        )
        assert float(done.stdout) > 0
    code = "import sys; sys.addaudithook(lambda *a: None); print('ran')"
    done = subprocess.run(
        [tools.launcher, Path(sys.executable).resolve(), "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "ran\n"


def test_a_quota_holds_children_only(bench: ModuleType) -> None:
    """Processes started inside have the quota. The process that measures is outside."""
    quota = importlib.import_module("quota")

    with quota.quota(0.5) as group:
        if group is None:
            pytest.skip("no control group can be made here")
        with group.inside():
            child = subprocess.Popen(["sleep", "60"])
        try:
            assert (group.folder / "cgroup.procs").read_text().split() == [str(child.pid)]
            (text,) = [
                path.read_text()
                for name in ("cpu.max", "cpu.cfs_quota_us")
                if (path := group.folder / name).exists()
            ]
            assert int(text.split()[0]) == 10_000
        finally:
            child.kill()
            child.wait()
    assert not group.folder.exists()
