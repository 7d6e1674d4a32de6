# class: no_event
# rule: read_write_tmp
# success: readline reads a file in /tmp as history
# proof: read
# needs: module:readline
import readline

from attack import FILE, attempt


@attempt
def steal():
    readline.clear_history()
    readline.read_history_file(FILE)
    return readline.get_history_item(1)
