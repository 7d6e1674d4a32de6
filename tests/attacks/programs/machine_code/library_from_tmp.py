# class: machine_code
# rule: read_write_tmp native_code
# also: native_code
# needs: gcc
# success: a library that lies in /tmp is loaded
# proof: read
import ctypes

from attack import DIR, FILE, attempt


@attempt
def steal():
    library, text = ctypes.CDLL(DIR + "/library.so"), ctypes.create_string_buffer(200)
    library.raw_read(FILE.encode(), text, ctypes.c_long(199))
    return text.value
