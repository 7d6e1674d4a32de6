# class: handler
# rule: read_handler
# policy: child-fork.yaml
# success: a forked child reads the source, where forks are allowed
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    out, into = os.pipe()
    if os.fork() == 0:
        try:
            os.write(into, open(HANDLER, "rb").read())
        finally:
            os._exit(0)
    os.close(into)
    found = os.read(out, 2000)
    os.wait()
    return found
