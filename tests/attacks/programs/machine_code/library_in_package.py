# class: machine_code
# rule: native_code
# open: machine code in the function's own package makes its system calls itself, past every
#   door. Lambda refuses filters of system calls (prctl, seccomp, ptrace), and its kernel has no
#   Landlock and no syscall user dispatch. To inspect the file would not help: libc has
#   the instruction too, and any code may jump there
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
