# class: files
# rule: read_write_tmp
# success: a file without a name, of another process, gets a name in /tmp that is the function's
# proof: read
# policy: ephemeral.yaml
import ctypes

from attack import NEW, UNLINKED, attempt, libc


@attempt
def link():
    at, follow = ctypes.c_int(-100), ctypes.c_int(0x400)
    libc().linkat(at, UNLINKED.encode(), at, NEW.encode(), follow)
    with open(NEW) as file:
        return file.read()
