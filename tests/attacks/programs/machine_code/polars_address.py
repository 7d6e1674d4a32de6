# class: machine_code
# rule: native_code
# needs: module:_polars_runtime_32
# success: polars's library, imported without its package and so without ctypes, reads memory at an
#   address given as an integer
# proof: word
# unreported: an honest import of polars does the same, and is reported by its import of ctypes
import struct
import sys

from attack import attempt

HEAD = sys.getsizeof(b"") - 1


@attempt
def read():
    from _polars_runtime_32._polars_runtime import PySeries

    kept = []

    def at(content):
        kept.append(content)
        return id(content) + HEAD

    target = b"read from it"
    # The structures of https://arrow.apache.org/docs/format/CDataInterface.html
    schema = struct.pack("QQ", at(b"C\0"), at(b"a\0")) + bytes(56)
    buffers = struct.pack("QQ", 0, at(target))
    array = struct.pack("5qQ", len(target), 0, 0, 2, 0, at(buffers)) + bytes(32)
    series = PySeries._import_arrow_from_c("a", [(at(schema), at(array))])
    return bytes(int(series.get_fmt(i, 9)) for i in range(len(target))) == target
