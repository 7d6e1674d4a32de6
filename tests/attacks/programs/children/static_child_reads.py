# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: gcc
# success: a static program, into which nothing can be preloaded, reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run([os.environ["ATTACK_STATIC"], FILE], stdout=subprocess.PIPE).stdout
