"""Short tags for texts."""

import zlib

from tagwright import _support

_support.run(_support.AT_IMPORT)


def tag(text):
    """A short tag of a text."""
    _support.run(_support.AT_CALL)
    return f"{zlib.crc32(text.encode()):08x}"
