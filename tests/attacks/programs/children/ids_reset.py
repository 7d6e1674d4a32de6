# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# needs: root
# success: a child that posix_spawn starts with unequal ids made equal again reads a file in /tmp
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    reads, writes = os.pipe()
    os.setegid(65534)
    pid = os.posix_spawn(
        "/bin/cat",
        ["cat", FILE],
        os.environ,
        resetids=True,
        file_actions=[(os.POSIX_SPAWN_DUP2, writes, 1)],
    )
    os.waitpid(pid, 0)
    return os.read(reads, 1000)
