# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child that may have no more than three fds reads a file in /tmp
# proof: read
# quiet: where no fd is left to hold the program by, it does not start (EMFILE), and what it would
#   have read is never asked for
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    line = "ulimit -n 5; exec /bin/cat %s" % FILE
    return subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE).stdout
