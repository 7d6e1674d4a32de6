# class: children
# rule: create_child_process
# success: a program is started on a terminal of its own
# proof: mark
import os
import pty

from attack import MARK, TOUCH, attempt


@attempt
def start():
    # Standard input is /dev/null: the copying ends at once.
    pty.spawn(TOUCH)
    return os.path.lexists(MARK)
