# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# success: a folder above the layer is renamed by way of /proc, and a child that cannot find the
#   guard's library reads a file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, LAYER, attempt


@attempt
def steal():
    above = "/proc/self/root" + os.path.dirname(LAYER)
    os.rename(above, above + ".old")
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
