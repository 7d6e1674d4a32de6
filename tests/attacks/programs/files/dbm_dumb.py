# class: files
# rule: read_write_tmp
# success: a dbm database is made in /tmp
# proof: new
import dbm.dumb

from attack import NEW, SECRET, attempt


@attempt
def stash():
    with dbm.dumb.open(NEW, "n") as database:
        database["kept"] = SECRET
    return True
