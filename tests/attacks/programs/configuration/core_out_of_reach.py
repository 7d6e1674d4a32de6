# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# needs: root
# success: the folder of the guard's library is closed to everybody by its fd, and a child of
#   another user reads a file in /tmp
# proof: read
import os
import subprocess

from attack import CORE, FILE, LAYER, attempt


@attempt
def steal():
    os.fchmod(os.open(os.path.dirname(CORE), os.O_RDONLY), 0)
    os.chmod(LAYER, 0o711)
    os.setregid(65534, 65534)
    os.setreuid(65534, 65534)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
