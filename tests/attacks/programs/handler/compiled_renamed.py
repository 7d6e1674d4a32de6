# class: handler
# rule: read_handler
# success: the folder of compiled forms is renamed, and the compiled form read
# proof: read
# when: import
# handler: compiled
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.chdir(os.path.dirname(HANDLER))
    os.rename("__pycache__", "other")
    name = next(name for name in os.listdir("other") if name.startswith("main."))
    with open("other/" + name, "rb") as opened:
        return opened.read()
