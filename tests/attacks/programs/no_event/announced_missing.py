# class: no_event
# rule: create_child_process
# success: a process is started beneath subprocess, behind the event of one that cannot be found
# proof: mark
import contextlib
import os
import sys
from multiprocessing.util import spawnv_passfds

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    with contextlib.suppress(OSError):
        sys.audit("subprocess.Popen", "missing", ["missing"], None, None)
    words = [os.fsencode(word) for word in TOUCH]
    os.waitpid(spawnv_passfds(words[0], words, ()), 0)
    return wait_for(MARK)
