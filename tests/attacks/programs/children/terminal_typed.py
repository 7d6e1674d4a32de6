# class: children
# rule: guard_integrity
# success: a command is typed into the terminal, for the shell that reads it next
# proof: word
# needs: typing
import fcntl
import os
import termios

from attack import attempt

LINE = b"touch taken\n"


@attempt
def type_it():
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)  # this program leads its session
    for byte in LINE:
        fcntl.ioctl(theirs, termios.TIOCSTI, bytes([byte]))
    return os.read(theirs, 100) == LINE
