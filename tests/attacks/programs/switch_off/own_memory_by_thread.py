# class: switch_off
# rule: guard_integrity
# success: the process's memory is opened for writing under one of its other names
# proof: word
import os
import threading

from attack import attempt


@attempt
def corrupt():
    root = os.open("/proc", os.O_PATH)
    os.symlink("/proc/self/task/%d/mem" % threading.get_native_id(), "innocent")
    for name, folder in (
        ("innocent", None),
        ("thread-self/mem", root),
        ("self/../%d/mem" % os.getpid(), root),
    ):
        os.close(os.open(name, os.O_RDWR, dir_fd=folder))
    return True
