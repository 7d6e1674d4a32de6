# class: switch_off
# rule: read_write_tmp guard_integrity
# success: extension modules are loaded so that they bind to libc before the guard, and sqlite makes
#   a file in /tmp
# proof: new
# needs: module:sqlite3
import os
import sys

sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)

import sqlite3

from attack import NEW, attempt


@attempt
def stash():
    database = sqlite3.connect(":memory:")
    database.execute("attach ? as out", (NEW,))
    database.execute("create table out.kept (data)")
    database.commit()
    return True
