# class: children
# rule: create_child_process read_write_tmp
# policy: child-allowed.yaml
# layer: own
# needs: root
# success: a child is started as a user who cannot reach the guard's library, and reads a file in
#   /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    return subprocess.run(
        ["/bin/cat", FILE], stdout=subprocess.PIPE, user=65534, group=65534
    ).stdout
