# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the answer to the runtime client's request is taken before the client reads it, by a call
#   that reads any file
# proof: word
# needs: gcc
import os

from attack import attempt
from runtime_connection import answered, start


@attempt
def take():
    fd = answered(start())
    beginning = bytearray(4)
    inward, outward = os.pipe()
    taken = []
    for read in (
        lambda: os.read(fd, 4),
        lambda: os.readv(fd, [beginning]),
        lambda: os.preadv(fd, [beginning], -1),
        lambda: os.splice(fd, outward, 4) if hasattr(os, "splice") else None,
        lambda: open(fd, "rb", buffering=0, closefd=False).read(4),
    ):
        try:
            taken.append(read())
        except PermissionError:
            pass
    return any(taken)
