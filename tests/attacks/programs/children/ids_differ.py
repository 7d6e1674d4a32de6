# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: root
# success: a child that is started with another effective group, so that the loader drops
#   LD_PRELOAD, reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    os.setegid(65534)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
