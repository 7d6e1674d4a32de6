# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child with an auditing library of the loader's reads a file in /tmp
# proof: read
# needs: gcc
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    environment = {**os.environ, "LD_AUDIT": os.environ["ATTACK_PLAIN"], "LD_DEBUG": "none"}
    return subprocess.run(
        ["/bin/cat", FILE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ).stdout
