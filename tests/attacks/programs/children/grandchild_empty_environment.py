# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a grandchild that env starts without an environment reads a file in /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    line = (
        "unset LD_PRELOAD; exec /usr/bin/env -i /bin/sh -c 'exec /usr/bin/env -u LD_PRELOAD"
        " /bin/cat %s'" % FILE
    )
    return subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE).stdout
