"""Makes ``requests.gen.h`` from ``requests.table``: what may be handed to the kernel under
native_code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).with_name("requests.table")


@dataclass
class Requests:
    """The table.

    Attributes:
        ioctl: each name with its request number and kind, ``int`` or ``struct``.
        fcntl: the same of fcntl's commands.
        options: level to ranges of option numbers, first and last.
    """

    ioctl: dict[str, tuple[int, str]] = field(default_factory=dict)
    fcntl: dict[str, tuple[int, str]] = field(default_factory=dict)
    options: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


def read(table: Path = TABLE) -> Requests:
    """The rows of ``table``."""
    requests = Requests()
    for number, line in enumerate(table.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] == "option" and len(cells) == 3:
            ranges = [
                (int(first), int(last))
                for first, last in (part.split("-") for part in cells[2].split())
            ]
            requests.options[int(cells[1].split()[1])] = ranges
        elif cells[0] in ("ioctl", "fcntl") and len(cells) == 4 and cells[3] in ("int", "struct"):
            rows = requests.ioctl if cells[0] == "ioctl" else requests.fcntl
            rows[cells[1]] = (int(cells[2], 0), cells[3])
        else:
            raise SystemExit(
                f"{table.name}:{number}: neither a row of ioctl or fcntl nor one of option"
            )
    return requests


def write(folder: Path) -> None:
    """Write the header into ``folder``: numbers in order, for a binary search."""
    requests = read()
    lines = ["/* Made by requests.py from requests.table. */\n"]
    for name in ("ioctl", "fcntl"):
        for kind in ("int", "struct"):
            rows: dict[str, tuple[int, str]] = getattr(requests, name)
            numbers = sorted({number for number, its in rows.values() if its == kind})
            words = ", ".join(f"{number:#x}u" for number in numbers)
            lines.append(f"static const uint32_t {name}_{kind}[] = {{{words}}};\n")
    rows_of_options = [
        f"    {{{level}, {first}, {last}}},\n"
        for level, ranges in requests.options.items()
        for first, last in ranges
    ]
    lines.append("static const struct range { uint16_t level, first, last; } options[] = {\n")
    (folder / "requests.gen.h").write_text("".join([*lines, *rows_of_options, "};\n"]))
