# class: children
# rule: create_child_process
# policy: child-fork.yaml
# success: a child starts a program by subprocess, where forks are allowed
# proof: mark
import multiprocessing
import subprocess

from attack import TOUCH, attempt


@attempt
def start():
    worker = multiprocessing.get_context("fork").Process(target=subprocess.run, args=(TOUCH,))
    worker.start()
    worker.join()
    return worker.exitcode == 0
