"""doors.table says of every pointer that a door takes whether it is copied."""

from __future__ import annotations

from tests.races.races import table

# Families whose rows have no words yet: what they judge, they copy by hand. Nothing is added here.
BY_HAND = {
    *("addrinfo", "asynchronous", "code", "databases", "handles", "hosts", "loader", "options"),
    *("printing", "queries", "receiving", "refusing", "requests", "sending", "sqlite", "start"),
    "variables",
}
# Families that are done: a row without words is a mistake there.
DONE = {
    *("attributes", "descriptors", "entries", "executing", "forking", "jumping", "listings"),
    *("messages", "native", "opening", "sockets", "spawning", "streams"),
}


def test_each_pointer_has_a_word() -> None:
    doors = [
        door
        for door in table().read()
        if door.of is None and any("*" in part for part in door.parameters)
    ]
    missing = {(door.family, door.symbol) for door in doors if not door.arguments}
    assert [symbol for family, symbol in sorted(missing) if family in DONE] == []
    assert {family for family, _ in missing} == BY_HAND


def test_paths_of_files_are_copied() -> None:
    """A door of the files' families that takes a path copies it, or says that nothing depends on
    it."""
    families = {"opening", "streams", "listings", "entries", "attributes"}
    for door in table().read():
        if door.of is None and door.family in families and "const char *" in door.parameters:
            assert door.arguments, door.symbol
