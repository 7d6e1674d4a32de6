# class: no_event
# rule: read_write_tmp
# success: a database is made in /tmp by a URI with an escaped name
# proof: new
# needs: module:sqlite3
import sqlite3

from attack import NEW, attempt


@attempt
def stash():
    database = sqlite3.connect("file::memory:", uri=True)
    database.execute("attach ? as out", ("file:///%74mp/" + NEW[5:] + "?mode=rwc&vfs=unix-none",))
    database.execute("create table out.kept (data)")
    database.commit()
    return True
