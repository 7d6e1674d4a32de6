# class: only_for
# rule: outbound_connectivity
# policy: only_for_fork_open.yaml
# success: the child of an allowed fork reaches a host that only another package may reach
# proof: sink
# needs: packages
import os

import urllib3
from attack import SINK, attempt


@attempt
def forked():
    pid = os.fork()
    if pid == 0:
        try:
            urllib3.dial(SINK)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
