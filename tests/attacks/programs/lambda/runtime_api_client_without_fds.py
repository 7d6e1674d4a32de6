# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the answer on a runtime client's connection is read, after another thread lowered the
#   limit on fds between two readings of the memory map while the client connected
# proof: word
# needs: gcc
# timeout: 40
import os
import resource
import threading
import time

from attack import attempt
from runtime_connection import start

ended = threading.Event()


def flip():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    while not ended.is_set():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def answer(fd):
    """What the client was answered, or nothing if the guard refused its connection."""
    os.set_blocking(fd, False)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            return os.read(fd, 64)
        except BlockingIOError:
            pass  # asked, not answered yet
        except OSError:
            break  # the client's alone, or not connected
        time.sleep(0.01)
    return b""


@attempt
def take():
    for _ in range(40):
        fd = start(CLIENT_WAITS="5")
        ended.clear()
        thread = threading.Thread(target=flip)
        thread.start()
        time.sleep(0.2)
        ended.set()
        thread.join()
        if answer(fd).startswith(b"HTTP/1.1"):
            return True
    return False
