"""Short tags for texts."""

import zlib


def tag(text):
    """A short tag of a text."""
    return f"{zlib.crc32(text.encode()):08x}"
