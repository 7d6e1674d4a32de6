# class: configuration
# rule: guard_integrity read_write_tmp
# policy: own-child.yaml
# refuses: a child whose policy is not the one that the function started with does not run
# success: the policy's file is overwritten, and a child started that reads it anew reads a file in
#   /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    path = os.environ.get("ATTACK_POLICY")
    if path:
        with open(path, "r+b") as opened:
            opened.seek(40)
            opened.write(bytes(8))
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
