# class: handler
# rule: read_handler
# success: the library of sqlite opens the source as a database
# proof: word
# when: import
# needs: module:sqlite3
import sqlite3

from attack import HANDLER, attempt


@attempt
def steal():
    database = sqlite3.connect(":memory:")
    try:
        database.execute("attach ? as main_", (HANDLER,))
        database.execute("select * from main_.sqlite_master")
    except sqlite3.DatabaseError as error:
        # It says so after it has read the first hundred bytes.
        return "not a database" in str(error)
