"""Makes the C that follows from ``doors.table``: one table, no second list.

Writes into a folder: ``real.gen.h`` (the struct of the next definitions),
``doors.gen.h`` (name, slot and address of each door), ``aliases_FAMILY.gen.h``
and ``exports.map``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("doors.table")
HEADERS = [
    *("dirent.h", "fcntl.h", "locale.h", "netdb.h", "signal.h", "spawn.h", "stdarg.h", "stdint.h", "stdio.h"),
    *("sys/ioctl.h", "sys/socket.h", "sys/time.h", "sys/types.h", "sys/uio.h", "termios.h", "time.h", "utime.h"),
]


@dataclass(frozen=True)
class Door:
    """A row of the table."""

    symbol: str
    family: str
    request: str
    of: str | None
    prototype: str

    def declare(self, name: str) -> str:
        """The C declaration of a pointer called ``name`` to such a function."""
        result, _, parameters = self.prototype.partition("(")
        return f"{result.rstrip()} (*{name})({parameters}"


def read(table: Path = TABLE) -> list[Door]:
    """The rows of ``table``, in order."""
    doors = []
    for number, line in enumerate(table.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 5:
            raise SystemExit(f"{table.name}:{number}: five cells are needed, {len(cells)} found")
        doors.append(Door(cells[0], cells[1], cells[2], None if cells[3] == "-" else cells[3], cells[4]))
    return doors


def write(folder: Path) -> None:
    """Write every generated file into ``folder``."""
    doors = read()
    folder.mkdir(parents=True, exist_ok=True)
    head = "/* Made by doors.py from doors.table. */\n"
    own = [door for door in doors if door.of is None]
    real = [head, "#ifndef FS_REAL_GEN_H\n#define FS_REAL_GEN_H\n"]
    real += [f"#include <{header}>\n" for header in HEADERS]
    real.append("struct fs_real {\n")
    real += [f"    {door.declare(door.symbol)};\n" for door in own]
    real.append("};\nextern struct fs_real real;\n#endif\n")
    (folder / "real.gen.h").write_text("".join(real))
    rows = [head]
    for door in doors:
        slot = door.of or door.symbol
        rows.append(f'FS_DOOR({door.symbol}, {slot}, "{door.family}", {int(door.of is None)})\n')
    (folder / "doors.gen.h").write_text("".join(rows))
    for family in sorted({door.family for door in doors}):
        lines = [head]
        for door in doors:
            if door.family == family and door.of is not None:
                lines.append(
                    f'extern __typeof__({door.of}) door_{door.symbol} __asm__("{door.symbol}") '
                    f'__attribute__((alias("{door.of}"), visibility("default")));\n'
                )
        (folder / f"aliases_{family}.gen.h").write_text("".join(lines))
    names = "".join(f"        {door.symbol};\n" for door in doors)
    (folder / "exports.map").write_text(f"{{\n    global:\n{names}    local: *;\n}};\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
