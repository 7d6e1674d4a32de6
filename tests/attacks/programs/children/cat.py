# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a program that knows nothing of Python prints a file in /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run(["cat", FILE], stdout=subprocess.PIPE).stdout
