# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child with an empty LD_PRELOAD, twice in its environment, reads a file in /tmp
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(into, 1)
        # posix.execve takes a mapping; the libc call below it takes a list, where a name may stand twice.
        os.execve("/bin/cat", ["cat", FILE], {"LD_PRELOAD": "", "A\0LD_PRELOAD"[:1]: "b"})
    os.close(into)
    found = os.read(out, 200)
    os.waitpid(pid, 0)
    return found
