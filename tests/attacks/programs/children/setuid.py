# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: root
# success: a setuid program, for which the loader drops LD_PRELOAD, reads a file in /tmp
# proof: read
import os
import shutil
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    shutil.copy("/bin/cat", "cat")
    os.chown("cat", 993, -1)
    os.chmod("cat", 0o4755)
    return subprocess.run(["./cat", FILE], stdout=subprocess.PIPE).stdout
