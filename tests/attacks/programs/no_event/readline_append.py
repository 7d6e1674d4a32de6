# class: no_event
# rule: read_write_tmp
# success: readline adds its history to a file in /tmp
# proof: changed
# needs: module:readline
import readline

from attack import FILE, SECRET, attempt


@attempt
def stash():
    readline.add_history(SECRET)
    readline.append_history_file(1, FILE)
    return True
