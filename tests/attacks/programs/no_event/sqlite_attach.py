# class: no_event
# rule: read_write_tmp
# success: a database is made in /tmp by ATTACH
# proof: new
# needs: module:sqlite3
import sqlite3

from attack import NEW, SECRET, attempt


@attempt
def stash():
    database = sqlite3.connect(":memory:")
    database.execute("attach ? as out", (NEW,))
    database.execute("create table out.kept (data)")
    database.execute("insert into out.kept values (?)", (SECRET,))
    database.commit()
    return True
