# class: handler
# rule: read_handler
# success: the source is compiled to another place, and the result read
# proof: read
# when: import
import py_compile

from attack import HANDLER, attempt


@attempt
def steal():
    py_compile.compile(HANDLER, "copy.pyc", doraise=True)
    with open("copy.pyc", "rb") as opened:
        return opened.read()
