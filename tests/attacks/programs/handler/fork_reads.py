# class: handler
# rule: read_handler
# success: a forked child reads the source
# proof: read
# when: import
# policy: child-mode-allow.yaml
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
