# class: no_event
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: the action list of posix_spawn makes a file in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    actions = [(os.POSIX_SPAWN_OPEN, 1, NEW, os.O_CREAT | os.O_WRONLY, 0o600)]
    pid = os.posix_spawn("/usr/bin/true", ["true"], {}, file_actions=actions)
    os.waitpid(pid, 0)
    return os.path.lexists(NEW)
