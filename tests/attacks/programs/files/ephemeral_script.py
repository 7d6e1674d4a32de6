# class: files
# rule: read_write_tmp
# success: a script that the function put into /tmp is run by its first line
# proof: mark
# policy: ephemeral.yaml
import os

from attack import MARK, NEW, attempt


@attempt
def run():
    with open(NEW, "w") as file:
        file.write("#!/bin/sh\n/usr/bin/touch %s\n" % MARK)
    os.chmod(NEW, 0o700)
    pid = os.posix_spawn(NEW, [NEW], {})
    return os.waitpid(pid, 0)[1] == 0
