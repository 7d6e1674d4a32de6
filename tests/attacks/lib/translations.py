"""A file of translations of libc's own messages, with different texts."""

import os
import struct

TEXTS = (
    ("", "Content-Type: text/plain; charset=UTF-8\n"),
    ("No such file or directory", "loot"),
    ("Real-time signal %d", "loot %x %x"),
)


def catalogue(*pairs):
    """The bytes of a file of translations."""
    texts = [text.encode() for pair in zip(*sorted(pairs)) for text in pair]
    count, places, body = len(pairs), b"", b""
    for text in texts:
        places += struct.pack("=II", len(text), 28 + 8 * len(texts) + len(body))
        body += text + b"\0"
    head = struct.pack("=7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + places + body


def write(folder):
    """Write TEXTS as libc's translations below `folder`, the folder of a language."""
    os.makedirs(folder + "/LC_MESSAGES")
    with open(folder + "/LC_MESSAGES/libc.mo", "wb") as out:
        out.write(catalogue(*TEXTS))
