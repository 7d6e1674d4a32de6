# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# success: the guard's library is overwritten by a second name of it, and a child that cannot load
#   it reads a file in /tmp
# proof: read
import os
import subprocess

from attack import CORE, FILE, attempt


@attempt
def steal():
    os.link(CORE, "innocent.dat")
    descriptor = os.open("innocent.dat", os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"nothing")
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
