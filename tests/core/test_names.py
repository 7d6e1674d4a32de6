"""A name in the core leads to its file: functions have the prefix of their header, and the files
that comments name are there."""

from __future__ import annotations

import re

import pytest

from tests.core.test_layers import FILLED_FROM_ABOVE
from tests.support import CORE, ROOT

# Headers whose functions have another prefix than the file's name without an s at its end. `fs` is
# that of what the launcher and fshield contain as well.
PREFIXES = {
    "addresses": "address_",
    "digest": "fs_",
    "dns_marks": "dns_",
    "dns_message": "dns_",
    "dns_socket": "dns_",
    "door_names": "door_",
    "expansion": "fs_",
    "hook_verdict": "hook_",
    "host_header": "host_flow_",
    "inspect_parts": "inspect_",
    "policy": "fs_",
    "program": "fs_",
}
# As those of the other rules are called: native_refused, files_refuse.
ALSO = frozenset({"integrity_refused"})
# Of CPython, Linux and glibc.
ELSEWHERE = frozenset(
    {
        "ftw.h",
        "handle.h",
        "initconfig.h",
        "internal.h",
        "posixmodule.c",
        "string.h",
        "uv.h",
        "setjmp.h",
        "socketmodule.c",
        "spawn_int.h",
        "udp.c",
    }
    | {"b.c", "wordexp.h", "unwinder.h"}
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARED = re.compile(
    r"^(?!static|typedef|#|enum \w+ \{|struct \w+ \{)\w[\w *]*?[ *](\w+)\([^;{]*\);"
    r"|^static inline [\w *]*?[ *](\w+)\(",
    re.MULTILINE,
)
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)\)?", re.DOTALL)


def declared(text: str) -> set[str]:
    """The functions that a header declares."""
    plain = ATTRIBUTE.sub("", COMMENT.sub("", text))
    return {first or second for first, second in DECLARED.findall(plain)}


def misnamed(stem: str, text: str) -> set[str]:
    """The functions of a header whose names do not lead to it."""
    prefix = PREFIXES.get(stem, stem.removesuffix("s"))
    allowed = FILLED_FROM_ABOVE.keys() | ALSO
    return {name for name in declared(text) - allowed if not name.startswith(prefix)}


def test_functions_have_the_prefix_of_their_header() -> None:
    found = {
        str(path.relative_to(CORE)): sorted(misnamed(path.stem, path.read_text()))
        for path in sorted(CORE.rglob("*.h"))
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_comments_name_files_that_are_there() -> None:
    sources = [*CORE.rglob("*.[ch]"), *(ROOT / "wrapper").rglob("*.[ch]")]
    there = {path.name for path in sources} | ELSEWHERE
    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for comment in COMMENT.findall(path.read_text())
        for name in re.findall(r"\b[a-z][a-z_0-9]*\.[ch]\b", comment)
        if name not in there and not name.endswith(".gen.h")
    }
    assert sorted(gone) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bool lock_take(struct lock *lock);", set()),
        ("void take(struct lock *lock);", {"take"}),
        ("static inline int its_turn(void) { return 1; }", {"its_turn"}),
        ("/* bool take(void); */", set()),
    ],
)
def test_a_function_without_the_prefix_is_found(text: str, names: set[str]) -> None:
    assert misnamed("lock", text) == names
