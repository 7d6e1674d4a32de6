# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# success: another file takes the place of the guard's library, and a child that is not preloaded
#   reads a file in /tmp
# proof: read
import os
import subprocess

from attack import CORE, FILE, attempt


@attempt
def steal():
    with open("other", "wb") as opened:
        opened.write(b"nothing")
    os.rename("other", CORE)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
