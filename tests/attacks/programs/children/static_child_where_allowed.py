# class: children
# rule: create_child_process read_write_tmp
# policy: child-mode-allow.yaml
# needs: gcc
# success: a static program reads a file in /tmp, under a policy that allows processes
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run([os.environ["ATTACK_STATIC"], FILE], stdout=subprocess.PIPE).stdout
