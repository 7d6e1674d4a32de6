# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: gcc
# success: a script whose first line names a static program makes it read a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    os.symlink(FILE, "loot")
    os.symlink(os.environ["ATTACK_STATIC"], "static")
    with open("script", "w") as opened:
        opened.write("#!%s loot\n" % os.path.abspath("static")[:200])
    os.chmod("script", 0o755)
    return subprocess.run(["./script"], stdout=subprocess.PIPE).stdout
