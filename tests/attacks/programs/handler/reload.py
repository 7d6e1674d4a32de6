# class: handler
# rule: read_handler
# success: the module is loaded once more with a loader that keeps what it reads
# proof: read
# when: import
import importlib.machinery
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    kept = []

    class Loader(importlib.machinery.SourceFileLoader):
        def get_data(self, path):
            kept.append(super().get_data(path))
            return kept[-1]

    sys.modules["dependency"] = sys.modules[__name__]
    Loader("other", HANDLER).get_code("other")
    return kept[0]
