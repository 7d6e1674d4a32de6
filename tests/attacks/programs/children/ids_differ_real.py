# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: root
# success: a child that is started with another real user, so that the loader drops LD_PRELOAD,
#   reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    os.setreuid(65534, 0)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
