# class: only_for
# rule: create_child_process
# policy: only_for_fork.yaml
# success: a package forks where only another package may fork
# proof: mark
# needs: packages
# says: "asker": "tintbox"
import os

from attack import MARK, attempt, wait_for


@attempt
def fork():
    if os.fork() == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return wait_for(MARK)
