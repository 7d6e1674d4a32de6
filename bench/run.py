"""What the guard costs: paired figures from one run, ratios first.

``python bench/run.py [--layer DIR] [--json] [--quick] [--write PAGE]``. The exit status is 0
whatever the figures are, and a miss is marked. It is 2 if the benchmark could not run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from callers import callers
from command_line import command_line
from egress import clients
from growth import growth
from measures import (
    Bench,
    Figure,
    audit,
    calls,
    invocations,
    memory,
    plain_python,
    python_version,
    sizes,
    start,
)
from native_tools import compile_tools
from quota import small
from reports import reports
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fshield.errors import CouldNotRun
from fshield.local.layer import find_layer, refuse_blocked_places
from fshield.local.progress import waiting_for

# Python 3.10 has no tomllib. mypy, which the tests need anyway, brings the same code as a package.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def rows(bench: Bench, dist: Path) -> Iterator[Figure]:
    """Yield every figure as soon as it is measured."""
    yield start(bench)
    yield from invocations(bench)
    yield from small(bench)
    yield from calls(bench)
    yield from clients(bench)
    yield from callers(bench)
    yield from growth(bench)
    yield audit(bench)
    yield from reports(bench)
    yield memory(bench)
    yield from sizes(dist)
    yield from command_line(bench)


def judged(figure: Figure, budgets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figure with its ratio, the added cost, the aim in words, and whether the aim is met
    (None: no aim)."""
    budget = budgets.get(figure.key, {})
    over = budget.get("over", "bare")
    ratio, added = figure.ratio("guarded", "bare"), figure.added("guarded", over)
    guarded = figure.median("guarded")
    met: bool | None = None
    aim = ""
    if "ratio" in budget and ratio is not None:
        met = ratio <= budget["ratio"] + budget.get("tolerance", 0.005)
        aim = f"×{budget['ratio']:.2f}"
    elif "added" in budget and added is not None:
        met = added <= budget["added"]
        aim = f"+{budget['added']:g} {figure.unit}"
    elif "size" in budget and guarded is not None:
        met = guarded <= budget["size"]
        aim = f"{budget['size']:g} {figure.unit}"
    return {
        "key": figure.key,
        "title": figure.title,
        "unit": figure.unit,
        "samples": len(figure.samples["guarded"]),
        "ratio": ratio,
        "added": added,
        "added_over": over,
        "bare": figure.median("bare"),
        "guarded": guarded,
        "floor": figure.median("floor"),
        "floor_ratio": figure.ratio("floor", "bare"),
        "floor_added": figure.added("floor", "bare"),
        "aim": aim,
        "met": met,
    }


def table(results: list[dict[str, Any]], python: str) -> Table:
    """The figures as a table of 80 columns."""
    made = Table(
        width=80,
        title=f"Guarded over bare, {platform.machine()}, Python {python}, medians",
        title_justify="left",
        title_style="bold",
    )
    made.add_column("measure", ratio=1, overflow="fold")
    for heading in ("ratio", "added", "guarded", "floor", "aim"):
        made.add_column(heading, justify="right", no_wrap=True)
    for row in results:
        style = {True: "green", False: "bold red", None: ""}[row["met"]]
        missed = " miss" if row["met"] is False else ""
        made.add_row(
            row["title"],
            f"×{row['ratio']:.2f}" if row["ratio"] else "",
            f"{row['added']:+.{_digits(row['unit'])}f}" if row["added"] is not None else "",
            f"{row['guarded']:.{_digits(row['unit'])}f} {row['unit']}",
            _floor(row),
            Text(f"{row['aim']}{missed}", style),
        )
    return made


def _floor(row: dict[str, Any]) -> str:
    """The cost of a guard that does nothing, in the form of the aim."""
    if row["floor_ratio"] is None:
        return ""
    return (
        f"×{row['floor_ratio']:.2f}"
        if row["aim"].startswith("×")
        else f"{row['floor_added']:+.{_digits(row['unit'])}f}"
    )


def page(results: list[dict[str, Any]], text: str) -> str:
    """The `text` of a page with the figures between its marks."""
    lines = ["| measure | ratio | added | guarded | aim |", "| -- | -- | -- | -- | -- |"]
    for row in results:
        digits, unit = _digits(row["unit"]), row["unit"]
        ratio = f"×{row['ratio']:.2f}" if row["ratio"] else ""
        added = f"{row['added']:+.{digits}f} {unit}" if row["added"] is not None else ""
        missed = " (missed)" if row["met"] is False else ""
        lines.append(
            f"| {row['title']} | {ratio} | {added} | {row['guarded']:.{digits}f} {unit}"
            f" | {row['aim']}{missed} |"
        )
    begin, end = "<!-- figures -->\n", "<!-- end of figures -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise RuntimeError(f"the page has no {begin.strip()} and {end}")
    return f"{before}{begin}\n" + "\n".join(lines) + f"\n\n{end}{after}"


def _digits(unit: str) -> int:
    return {"ms": 2, "MB": 2}.get(unit, 0)


def main() -> int:
    """Run the benchmark. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--layer", type=Path, help="an unpacked layer; by default FSHIELD_LAYER, then build/layer"
    )
    parser.add_argument(
        "--python",
        help="the interpreter to start; by default the one that loads the fewest modules",
    )
    parser.add_argument(
        "--dist", type=Path, default=ROOT / "dist", help="the folder with the layer's zips"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the figures into docs/performance.md"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="take few samples: enough to see that it works, but not to compare figures",
    )
    options = parser.parse_args()
    options.python = options.python or plain_python()
    budgets = tomllib.loads((HERE / "budgets.toml").read_text("utf-8"))
    scratch = ROOT / "build" / "bench"
    try:
        if options.write:  # report an error in the page now, and not minutes later
            page([], options.write.read_text("utf-8"))
        layer = find_layer(options.layer)
        places = [
            ("the layer", layer.folder),
            ("the Python", Path(options.python)),
            ("the checkout", ROOT),
        ]
        refuse_blocked_places(layer.policy_file("default"), places)
        with waiting_for("compiling the floor and the timer"):
            tools = compile_tools(scratch)
        results, version = [], python_version(options.python)
        with waiting_for("measuring (about seven minutes)"):
            for figure in rows(
                Bench(layer.folder, tools, scratch, options.python, options.quick), options.dist
            ):
                results.append(judged(figure, budgets))
    except CouldNotRun as problem:
        print(f"error: {problem.message}\n  fix: {problem.fix}", file=sys.stderr)
        return 2
    except (RuntimeError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if options.write:
        options.write.write_text(page(results, options.write.read_text("utf-8")), "utf-8")
    if options.json:
        json.dump(
            {"machine": platform.machine(), "python": version, "figures": results},
            sys.stdout,
            indent=2,
        )
        print()
    else:
        Console(highlight=False, markup=False).print(table(results, version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
