# class: no_event
# rule: create_child_process
# success: a process is started by the function beneath subprocess
# proof: mark
import _posixsubprocess
import os
import sys

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    out, into = os.pipe()
    common = [
        [os.fsencode(part) for part in TOUCH],
        (os.fsencode(TOUCH[0]),),
        True,
        (into,),
        None,
        None,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        out,
        into,
        True,
        False,
    ]
    tail = {
        (3, 9): [None, None, None, -1, None],
        (3, 10): [None, None, None, -1, None],
        (3, 11): [-1, None, None, None, -1, None, True],
        (3, 12): [-1, None, None, None, -1, None, True],
        (3, 13): [-1, None, None, None, -1, None, True],
    }.get(sys.version_info[:2], [-1, None, None, None, -1, None])
    _posixsubprocess.fork_exec(*common, *tail)
    return wait_for(MARK)
