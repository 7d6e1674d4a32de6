# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# needs: gcc
# success: a child with a library of the attacker's before the guard's reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    environment = {**os.environ, "LD_PRELOAD": os.environ["ATTACK_LIBRARY"], "LD_BIND_NOW": "1"}
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE, env=environment).stdout
