# class: no_event
# rule: create_child_process
# policy: child-one.yaml
# success: a process is started beneath subprocess, and the event of an allowed program hides the
#   caller
# proof: mark
# says: "function": "start"
import os
import sys
from multiprocessing.util import spawnv_passfds

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    sys.audit("subprocess.Popen", "/usr/bin/true", ["true"], None, None)
    words = [os.fsencode(word) for word in TOUCH]
    os.waitpid(spawnv_passfds(words[0], words, ()), 0)
    return wait_for(MARK)
