# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file is made in /tmp by libc's mkstemp, through ctypes
# proof: new
import ctypes

from attack import NEW, attempt, libc


@attempt
def stash():
    return libc().mkstemp(ctypes.create_string_buffer((NEW + "XXXXXX").encode())) >= 0
