# class: no_event
# rule: read_write_tmp
# success: a database is written to /tmp by VACUUM INTO
# proof: new
# needs: module:sqlite3
import sqlite3

from attack import NEW, attempt


@attempt
def stash():
    database = sqlite3.connect(":memory:")
    database.execute("create table kept (data)")
    database.execute("vacuum into ?", (NEW,))
    return True
