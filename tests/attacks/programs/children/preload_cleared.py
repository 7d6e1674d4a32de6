# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child with an empty LD_PRELOAD reads a file in /tmp
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    out, into = os.pipe()
    environment = {"LD_PRELOAD": "", "A": "b"}
    actions = [(os.POSIX_SPAWN_DUP2, into, 1)]
    pid = os.posix_spawn("/bin/cat", ["cat", FILE], environment, file_actions=actions)
    os.close(into)
    found = os.read(out, 200)
    os.waitpid(pid, 0)
    return found
