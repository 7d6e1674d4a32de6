# class: children
# rule: create_child_process
# also: native_code
# success: a command line is run by libc's system, through ctypes
# proof: mark
from attack import MARK, attempt, libc


@attempt
def start():
    return libc().system(b"touch " + MARK.encode()) == 0
