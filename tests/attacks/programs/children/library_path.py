# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child takes its libc from the attacker's folder and reads a file in /tmp
# proof: read
import os
import shutil
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "libc.so.6" in line)
    os.mkdir("lib")
    shutil.copy(path, "lib/libc.so.6")
    environment = {**os.environ, "LD_LIBRARY_PATH": os.path.abspath("lib")}
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE, env=environment).stdout
