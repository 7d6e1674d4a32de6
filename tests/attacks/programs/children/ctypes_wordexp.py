# class: children
# rule: create_child_process
# also: native_code
# success: a command line is run by libc's wordexp, through ctypes
# proof: mark
import ctypes

from attack import MARK, attempt, libc


@attempt
def start():
    return libc().wordexp(b"$(touch %s)" % MARK.encode(), ctypes.create_string_buffer(256), 0) == 0
