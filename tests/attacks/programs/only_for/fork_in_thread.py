# class: only_for
# rule: create_child_process
# policy: only_for_fork.yaml
# success: a package forks in a thread that the package that may fork has started
# proof: mark
# needs: packages
import os

import stripe
from attack import MARK, attempt, wait_for


def fork():
    if os.fork() == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)


@attempt
def threaded():
    stripe.in_thread(fork)
    return wait_for(MARK)
