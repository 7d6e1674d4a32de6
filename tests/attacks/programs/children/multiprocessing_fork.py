# class: children
# rule: create_child_process
# success: multiprocessing forks a worker
# proof: mark
import multiprocessing
import os

from attack import MARK, attempt


@attempt
def start():
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=os.mkdir, args=(MARK,))
    worker.start()
    worker.join()
    return worker.exitcode == 0
