# class: machine_code
# rule: native_code
# open: machine code in the function's own package that makes its system calls itself passes no door; only
#   kernel limits could hold it
# needs: gcc
# when: import
# success: an extension in the function's package reads a file in /tmp by its own system calls
# proof: read
import sys

from attack import attempt


@attempt
def steal():
    try:
        import extension  # noqa: F401
    except SystemError:
        pass  # its own: it never gives a module
    return sys.stolen
