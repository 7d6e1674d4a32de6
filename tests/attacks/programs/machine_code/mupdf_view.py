# class: machine_code
# rule: native_code
# needs: module:pymupdf
# success: PyMuPDF gives a view of all memory beyond an object, and changes an immutable one
# proof: word
from attack import attempt


@attempt
def write():
    from pymupdf import mupdf

    target = b"bytes that nobody changes"
    view = mupdf.python_memoryview_from_memory(mupdf.python_buffer_data(target), 1 << 46, 1)
    view[0] = ord("c")
    return target[:1] == b"c"
