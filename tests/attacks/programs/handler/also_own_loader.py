# class: handler
# rule: read_handler
# success: a loader of the attacker's own imports a module that nothing has imported yet
# proof: read
# when: import
# policy: also.yaml
# handler: imported
# open: the import system that runs in the function's process belongs to its dependencies as much
#   as to the function: what a loader may read to run it, a patched loader keeps
import importlib.util
from importlib.machinery import SourceFileLoader

from attack import HANDLER, attempt

KEPT = []


class Loader(SourceFileLoader):
    def source_to_code(self, data, path, *rest, **options):
        KEPT.append(bytes(data))
        return super().source_to_code(data, path, *rest, **options)


@attempt
def steal():
    spec = importlib.util.spec_from_loader("x", Loader("x", HANDLER.replace("deep", "later")))
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return KEPT[0]
