# class: no_event
# rule: read_write_tmp
# success: readline writes its history to /tmp
# proof: new
# needs: module:readline
import readline

from attack import NEW, SECRET, attempt


@attempt
def stash():
    readline.add_history(SECRET)
    readline.write_history_file(NEW)
    return True
