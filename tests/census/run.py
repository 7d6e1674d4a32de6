"""Prints the census of doors: ``python tests/census/run.py [--new]``.

For every C library on this machine (``fetch.sh`` unpacks more), it prints how many symbols it
exports, how many functions reach a guarded system call by their machine code, how many have doors,
how many are excepted, and which the table does not know. ``--new`` lists the unknown ones and what
they reach, for ``symbols.yaml``. Exit status 0 only if there are none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console
from rich.table import Table as Grid

from tests.census import census, libraries
from tests.census.disassembly import read


def main() -> int:
    """Take the census and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--new", action="store_true", help="list the symbols that the table does not know"
    )
    options = parser.parse_args()
    console = Console()
    table = census.read_table()
    grid = Grid(
        "C library", "symbols", "reach a guarded call", "doors", "excepted", "unknown", "wrong"
    )
    sentences: list[str] = []
    for name, paths in libraries.sets().items():
        whole = census.Findings()
        for path in paths:
            library = read(path)
            found = census.judge(library, table)
            whole.symbols += found.symbols
            whole.reaching += found.reaching
            whole.doors += found.doors
            whole.excepted += found.excepted
            whole.unknown += found.unknown
            whole.wrong += found.wrong
            sentences += [f"{name}, {path.name}: {sentence}" for sentence in found.wrong]
            reach = census.reaches(
                library, table, sorted(set(found.unknown) & library.exports.keys())
            )
            for symbol in found.unknown:
                what = ", ".join(sorted(reach.get(symbol, ()))) or "nothing guarded"
                sentences += [
                    f"{name}, {path.name}: {symbol} is not known; it reaches {what}"
                ] * options.new
        figures = (
            whole.symbols,
            whole.reaching,
            whole.doors,
            whole.excepted,
            len(whole.unknown),
            len(whole.wrong),
        )
        grid.add_row(name, *map(str, figures))
        if whole.unknown and not options.new:
            sentences.append(
                f"{name}: {len(whole.unknown)} symbols are not known:"
                f" {' '.join(sorted(whole.unknown)[:20])}"
            )
    console.print(grid)
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
