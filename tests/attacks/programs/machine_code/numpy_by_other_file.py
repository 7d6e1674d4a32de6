# class: machine_code
# rule: native_code
# needs: module:numpy
# success: numpy, loaded from a file of another name and without ctypes, reads memory
# proof: word
# unreported: an honest import of numpy does the same, and is reported by its import of ctypes
import os
import sys
from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import spec_from_file_location

from array_interface import reads_memory
from attack import attempt

MODULE = "_multiarray_umath"


class Finder:
    """Finds numpy's extension in a link of another name. Its own libraries are beside it."""

    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        if name.rpartition(".")[2] != MODULE:
            return None
        origin = PathFinder.find_spec(name, path).origin
        packages = os.path.dirname(os.path.dirname(os.path.dirname(origin)))
        file = f"{self.folder}/numpy/_core/data.so"
        os.makedirs(os.path.dirname(file))
        os.symlink(f"{packages}/numpy.libs", f"{self.folder}/numpy.libs")
        os.symlink(origin, file)
        return spec_from_file_location(name, file, loader=ExtensionFileLoader(name, file))


@attempt
def read():
    sys.modules["ctypes"] = None
    sys.meta_path.insert(0, Finder(os.getcwd() + "/elsewhere"))
    import numpy

    return reads_memory(numpy)
