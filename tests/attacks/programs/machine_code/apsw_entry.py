# class: machine_code
# rule: native_code
# needs: module:apsw
# success: SQLite inside an extension module calls a function of libc as an extension's entry point
# proof: word
import os

import apsw
from attack import attempt


@attempt
def call():
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    os.umask(0)
    try:
        connection.load_extension("libc.so.6", "umask")
    except apsw.ExtensionLoadingError:
        pass
    return os.umask(0o22) != 0
