# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child that may have no more than three fds reads a file in /tmp
# proof: read
# quiet: with no fd left to hold the program, it does not start (EMFILE), so nothing is ever read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    line = "ulimit -n 5; exec /bin/cat %s" % FILE
    return subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE).stdout
