# class: switch_off
# rule: read_write_tmp
# success: a trace function changes frames while the guard walks them, and a file in /tmp is read
# proof: read
import sys

from attack import FILE, attempt


def trace(frame, event, argument):
    frame.f_trace_opcodes = True
    return trace


@attempt
def steal():
    sys.settrace(trace)
    sys.setprofile(trace)
    try:
        return eval(compile("open(%r).read()" % FILE, '<\n{"function_shield":true}>', "eval"))
    finally:
        sys.settrace(None)
        sys.setprofile(None)
