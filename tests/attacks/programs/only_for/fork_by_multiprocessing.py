# class: only_for
# rule: create_child_process
# policy: only_for_fork.yaml
# success: a package forks workers where only another package may fork
# proof: mark
# needs: packages
import multiprocessing
import os

from attack import MARK, attempt


@attempt
def start():
    worker = multiprocessing.get_context("fork").Process(target=os.mkdir, args=(MARK,))
    worker.start()
    worker.join()
    return worker.exitcode == 0
