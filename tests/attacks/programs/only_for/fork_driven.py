# class: only_for
# rule: create_child_process
# policy: only_for_fork.yaml
# success: a package forks through a callback of the package that may fork
# proof: mark
# needs: packages
# says: allowed for stripe; asked by tintbox
import os

import stripe
from attack import MARK, attempt, wait_for


def fork():
    if os.fork() == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)


@attempt
def driven():
    stripe.call(fork)
    return wait_for(MARK)
