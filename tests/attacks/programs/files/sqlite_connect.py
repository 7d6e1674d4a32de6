# class: files
# rule: read_write_tmp
# success: a database is made in /tmp
# proof: new
# needs: module:sqlite3
import sqlite3

from attack import NEW, SECRET, attempt


@attempt
def stash():
    with sqlite3.connect(NEW) as database:
        database.execute("create table kept (data)")
        database.execute("insert into kept values (?)", (SECRET,))
    return True
