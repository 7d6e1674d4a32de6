# class: files
# rule: read_write_tmp
# success: a library that the function put into /tmp is loaded
# proof: word
# policy: ephemeral.yaml
import ctypes
import shutil

from attack import NEW, attempt


@attempt
def load():
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "/libc" in line and ".so" in line)
    shutil.copy(path, NEW)
    return ctypes.CDLL(NEW) is not None
