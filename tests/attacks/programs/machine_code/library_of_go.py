# class: machine_code
# rule: native_code
# needs: gcc
# when: import
# success: an extension in the function's package that Go's linker made, as its note says, reads a
#   file in /tmp by its own system calls
# proof: read
import sys

from attack import attempt


@attempt
def steal():
    try:
        import of_go  # noqa: F401
    except SystemError:
        pass  # its own: it never gives a module
    return sys.stolen
