# class: handler
# rule: read_handler
# success: the module is executed once more under another name
# proof: read
# when: import
import importlib.util
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    sys.modules["dependency"] = sys.modules[__name__]
    spec = importlib.util.spec_from_file_location("other", HANDLER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RECIPE
