# class: handler
# rule: read_handler
# success: the source is read through /proc/self/root
# proof: read
# when: import
from attack import HANDLER, attempt


@attempt
def steal():
    with open("/proc/self/root" + HANDLER) as opened:
        return opened.read()
