# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# success: the guard's library is removed, and a child whose loader cannot find it reads a file in
#   /tmp
# proof: read
import os
import subprocess

from attack import CORE, FILE, attempt


@attempt
def steal():
    os.unlink(CORE)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
