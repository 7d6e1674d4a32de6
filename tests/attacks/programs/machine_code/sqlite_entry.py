# class: machine_code
# rule: native_code
# needs: sqlite_extensions
# success: SQLite calls a function of libc as an extension's entry point
# proof: word
import os
import sqlite3

from attack import attempt


@attempt
def call():
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    os.umask(0)
    try:
        # umask(database) takes the low bits of a pointer, and says that all is well.
        connection.execute("SELECT load_extension('libc.so.6', 'umask')").fetchone()
    except sqlite3.OperationalError:
        pass
    return os.umask(0o22) != 0
