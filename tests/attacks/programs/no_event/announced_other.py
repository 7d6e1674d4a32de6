# class: no_event
# rule: create_child_process
# policy: child-one.yaml
# success: a process is started beneath subprocess, behind the event of another program
# proof: mark
# says: /usr/bin/touch
import contextlib
import os
import sys
from multiprocessing.util import spawnv_passfds

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    with contextlib.suppress(OSError):
        sys.audit("subprocess.Popen", "/usr/bin/false", ["false"], None, None)
    words = [os.fsencode(word) for word in TOUCH]
    os.waitpid(spawnv_passfds(words[0], words, ()), 0)
    return wait_for(MARK)
