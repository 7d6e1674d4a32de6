"""What the clients share: fetch each destination once, and print the result."""

import json
import sys


def body(destination):
    """A body of as many bytes as the destination says; the server answers with what it received."""
    return b"0123456789abcdef" * (destination["body"] // 16)


def probe(fetch):
    """Call ``fetch`` with each destination from standard input. Print the destination's name, and
    what ``fetch`` returned or raised."""
    found = {}
    for name, destination in json.load(sys.stdin).items():
        try:
            found[name] = {"ok": fetch(destination)}
        except Exception as error:
            found[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
    json.dump(found, sys.stdout)
