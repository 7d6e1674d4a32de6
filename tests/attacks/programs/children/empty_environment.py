# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child without any environment reads a file in /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE, env={}).stdout
