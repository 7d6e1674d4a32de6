# class: machine_code
# rule: native_code
# needs: module:apsw
# success: apsw is loaded under a name with a NUL in it, of which the loader takes the last part
# proof: word
import _imp
import glob
import importlib.machinery
import importlib.util
import os

from attack import attempt


@attempt
def load():
    folder = os.path.dirname(importlib.util.find_spec("apsw").origin)
    (library,) = glob.glob(glob.escape(folder) + "/__init__.*.so")
    spec = importlib.machinery.ModuleSpec("harmless\0.apsw", None, origin=library)
    return hasattr(_imp.create_dynamic(spec), "Connection")
