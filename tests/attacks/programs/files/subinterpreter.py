# class: files
# rule: read_write_tmp
# success: another interpreter in the process reads a file in /tmp
# proof: read
import sys

from attack import FILE, attempt

CODE = "open('loot', 'w').write(open(%r).read())" % FILE


@attempt
def steal():
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters

        interpreters.exec(interpreters.create(), CODE)
    else:
        import _xxsubinterpreters as interpreters

        interpreters.run_string(interpreters.create(), CODE)
    with open("loot") as opened:
        return opened.read()
