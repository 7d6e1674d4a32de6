# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child whose loader is tuned so that it has no room for the guard's thread state reads a
#   file in /tmp
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    environment = {
        **os.environ,
        "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=0:glibc.rtld.nns=1",
    }
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE, env=environment).stdout
