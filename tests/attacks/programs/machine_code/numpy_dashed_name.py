# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy's library is loaded under a name that only the loader takes for its own, and reads
#   memory at an address given as an integer
# proof: word
# unreported: an honest import of numpy does the same, and is reported by its import of ctypes
import _imp
import importlib.machinery
import sys

from attack import attempt


class Finder:
    """Creates the library by a name with dashes: the loader replaces them by underscores."""

    def find_spec(name, path=None, target=None):
        if not name.endswith("._multiarray_umath"):
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        return importlib.machinery.ModuleSpec(name, Loader(found.origin))


class Loader:
    def __init__(self, path):
        self.path = path

    def create_module(self, spec):
        dashed = importlib.machinery.ModuleSpec("-multiarray-umath", None, origin=self.path)
        return _imp.create_dynamic(dashed)

    exec_module = staticmethod(_imp.exec_dynamic)


@attempt
def read():
    sys.modules["ctypes"] = None
    sys.meta_path.insert(0, Finder)
    import numpy

    target = b"read from it"
    anywhere = type("Anywhere", (), {})()
    anywhere.__array_interface__ = {
        "data": (id(target) + sys.getsizeof(b"") - 1, False),
        "shape": (len(target),),
        "typestr": "|u1",
        "version": 3,
    }
    return bytes(numpy.asarray(anywhere)) == target
