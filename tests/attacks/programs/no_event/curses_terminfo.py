# class: no_event
# rule: read_write_tmp
# success: curses reads a description of a terminal that lies in /tmp
# proof: word
# needs: module:curses
import curses
import os

from attack import DIR, attempt


@attempt
def steal():
    # A link that the runner left, and that no rule on links lets be made here: TERMINFO is a folder
    # of /tmp.
    os.environ["TERMINFO"] = DIR + "/terminfo"
    curses.setupterm("loot", os.open("/dev/null", os.O_WRONLY))
    return curses.tigetnum("cols") == 4321
