"""Runs one test under the guard and writes its reports down: ``python -m fshield.testing.child
FOLDER``.

The folder holds ``task.json`` (see `fshield.testing.parent`) and gets ``reports.jsonl`` and
``events.jsonl``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import pytest

from fshield.testing.shield import FunctionShield


class Child:
    """The plugin in the guarded process.

    Args:
        wanted: the node id of the test to run.
        folder: where reports and events go.
    """

    def __init__(self, wanted: str, folder: Path) -> None:
        self.shield = FunctionShield(folder / "events.jsonl")
        self._wanted = wanted
        # Opened now: what the test changes (the folder, the mode) does not matter later.
        self._reports: TextIO = (folder / "reports.jsonl").open("w", encoding="utf-8")

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        # Plugins that write a file for a whole run (JUnit, HTML) look for this, and leave that to
        # the first process.
        config.workerinput = {"workerid": "function_shield"}  # type: ignore[attr-defined]

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            config.pluginmanager.unregister(terminal)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid == self._wanted]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write({"collect": report.longreprtext})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(
            self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        )

    def _write(self, data: Any) -> None:
        self._reports.write(json.dumps(data, default=repr) + "\n")
        self._reports.flush()


def main(folder: Path) -> int:
    """Run the task in `folder`. Returns pytest's exit code."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    sys.path[:] = task["path"]
    # By name, so that the plugin finds out that it is in the guarded process.
    child = Child(task["nodeid"], folder)
    plugins = [_Named(child)]
    return int(pytest.main(task["arguments"], plugins=plugins))


class _Named:
    """Registers the child under its name."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def pytest_plugin_registered(self, manager: pytest.PytestPluginManager) -> None:
        if not manager.has_plugin("function_shield_child"):
            manager.register(self._child, "function_shield_child")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
