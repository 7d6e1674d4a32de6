# class: machine_code
# rule: native_code
# needs: gcc
# success: a library that was just written is loaded by a path with $LIB in it, where the loader
#   opens another file than the path names
# proof: read
import importlib.util
import os
import platform
import shutil
import sys

from attack import attempt

HERE = os.getcwd() + "/words"


@attempt
def steal():
    import _imp

    machine = platform.machine()
    for folder in ("$LIB", "lib64", "lib", "lib/%s-linux-gnu" % machine):
        os.makedirs(HERE + "/" + folder)
        if folder != "$LIB":
            shutil.copy("extension.so", HERE + "/" + folder)
    libc = next(line.split()[-1] for line in open("/proc/self/maps") if "/libc.so.6" in line)
    path = HERE + "/$LIB/extension.so"
    os.symlink(libc, path)
    spec = importlib.util.spec_from_file_location("extension", path)
    try:
        _imp.create_dynamic(spec)
    except SystemError:
        pass  # its own: it never gives a module
    return sys.stolen
