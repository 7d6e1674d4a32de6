# class: handler
# rule: read_handler
# success: code that says it is the import system reads a module that runs
# proof: read
# when: call
# policy: also.yaml
# handler: imported
from attack import HANDLER, attempt

NAMES = {}
CODE = """
def exec_module(path):
    with open(path) as opened:
        return opened.read()
"""
exec(compile(CODE, "<frozen importlib._bootstrap_external>", "exec"), NAMES)


@attempt
def steal():
    return NAMES["exec_module"](HANDLER)
