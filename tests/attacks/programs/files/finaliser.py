# class: files
# rule: read_write_tmp
# success: an object's finaliser reads a file in /tmp during garbage collection
# proof: read
import gc

from attack import FILE, attempt

found = []


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        try:
            found.append(open(FILE).read())
        except OSError as error:
            found.append(str(error))


@attempt
def steal():
    Cycle()
    gc.collect()
    return found[0]
