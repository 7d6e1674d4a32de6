# class: children
# rule: read_write_tmp
# policy: child-fork.yaml
# success: a child reads a file in /tmp, where forks are allowed
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    out, into = os.pipe()
    if os.fork() == 0:
        try:
            os.write(into, open(FILE, "rb").read())
        finally:
            os._exit(0)
    os.close(into)
    found = os.read(out, 200)
    os.wait()
    return found
