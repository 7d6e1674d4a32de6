"""For every pointer that a door takes, doors.table says whether it is copied."""

from __future__ import annotations

from tests.races.races import table


def test_each_pointer_has_a_word() -> None:
    missing = [
        door.symbol
        for door in table().read()
        if door.of is None and any("*" in part for part in door.parameters) and not door.arguments
    ]
    assert missing == []


def test_paths_of_files_are_copied() -> None:
    """A door of the file families copies its path, or the table says that nothing depends on it."""
    families = {"opening", "streams", "listings", "entries", "attributes"}
    doors = [
        door
        for door in table().read()
        if door.of is None and door.family in families and "const char *" in door.parameters
    ]
    assert len(doors) > 30
    for door in doors:
        assert door.arguments, door.symbol
