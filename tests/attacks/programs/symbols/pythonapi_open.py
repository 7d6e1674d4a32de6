# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by a function of Python's C API, called through ctypes
# proof: read
# needs: python<3.13
import ctypes

from attack import FILE, attempt


@attempt
def steal():
    api, c = ctypes.pythonapi, ctypes.CDLL(None)
    api._Py_wfopen.restype = ctypes.c_void_p
    stream = api._Py_wfopen(ctypes.c_wchar_p(FILE), ctypes.c_wchar_p("r"))
    line = ctypes.create_string_buffer(200)
    c.fgets(line, 200, ctypes.c_void_p(stream))
    return line.value
