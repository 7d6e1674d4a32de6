# class: handler
# rule: read_handler
# success: a module is imported once more by a loader that keeps what it compiles
# proof: read
# when: call
# policy: also.yaml
# handler: imported
import importlib.util
from importlib.machinery import SourceFileLoader

from attack import HANDLER, attempt

KEPT = []


class Loader(SourceFileLoader):
    def path_stats(self, path):
        raise OSError  # no compiled form will do

    def source_to_code(self, data, path, *rest, **options):
        KEPT.append(bytes(data))
        return super().source_to_code(data, path, *rest, **options)


@attempt
def steal():
    spec = importlib.util.spec_from_loader("other", Loader("other", HANDLER))
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    finally:
        if KEPT:
            return KEPT[0]
