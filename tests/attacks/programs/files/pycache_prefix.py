# class: files
# rule: read_write_tmp
# success: the import system is made to write compiled modules, with data in them, to /tmp
# proof: new
import sys

from attack import NEW, SECRET, attempt


@attempt
def stash():
    with open("innocent.py", "w") as opened:
        opened.write("KEPT = %r\n" % SECRET)
    sys.path.insert(0, ".")
    sys.pycache_prefix, sys.dont_write_bytecode = NEW, False
    import os

    import innocent

    return innocent.KEPT == SECRET and os.path.lexists(NEW)
