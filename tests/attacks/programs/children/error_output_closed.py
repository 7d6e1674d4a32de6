# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# quiet: the attacker closed every fd that the child's events could go to
# success: a child whose error output and every other fd are closed reads a file in /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    line = "exec 2>&-; exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec cat %s" % FILE
    return subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE, close_fds=True).stdout
