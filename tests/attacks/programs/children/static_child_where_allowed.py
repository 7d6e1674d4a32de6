# class: children
# rule: create_child_process read_write_tmp
# policy: child-mode-allow.yaml
# needs: gcc
# success: where processes are no rule's matter, a static program reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run([os.environ["ATTACK_STATIC"], FILE], stdout=subprocess.PIPE).stdout
