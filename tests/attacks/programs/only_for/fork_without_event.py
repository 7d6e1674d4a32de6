# class: only_for
# rule: create_child_process
# policy: only_for_fork.yaml
# success: a package forks by ctypes where only another package may fork
# proof: mark
# needs: packages
# also: native_code
import ctypes
import os

import stripe
from attack import MARK, attempt


@attempt
def fork():
    pid = stripe.call(ctypes.PyDLL("libc.so.6").fork)
    if pid == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return pid > 0 and os.waitpid(pid, 0)[1] == 0
