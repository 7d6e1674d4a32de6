# class: switch_off
# rule: guard_integrity
# also: native_code
# policy: child-allowed.yaml
# success: a child is traced, so that its memory could be changed
# proof: word
import ctypes
import os
import subprocess
import sys

from attack import attempt, libc

PTRACE_ATTACH, PTRACE_DETACH = 16, 17


@attempt
def trace():
    victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        c = libc()
        if c.ptrace(ctypes.c_long(PTRACE_ATTACH), ctypes.c_long(victim.pid), None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        os.waitpid(victim.pid, 0)
        c.ptrace(ctypes.c_long(PTRACE_DETACH), ctypes.c_long(victim.pid), None, None)
        return True
    finally:
        victim.kill()
        victim.wait()
