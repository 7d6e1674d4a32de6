# class: children
# rule: native_code
# policy: child-fork.yaml
# success: a child calls libc through ctypes, where forks are allowed
# proof: read
# also: read_write_tmp
import os

from attack import FILE, attempt


@attempt
def steal():
    out, into = os.pipe()
    if os.fork() == 0:
        try:
            import ctypes

            libc = ctypes.CDLL("libc.so.6")
            text = ctypes.create_string_buffer(200)
            libc.read(libc.open(os.fsencode(FILE), 0), text, 200)
            os.write(into, text.value)
        finally:
            os._exit(0)
    os.close(into)
    found = os.read(out, 200)
    os.wait()
    return found
