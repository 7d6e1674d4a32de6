# class: handler
# rule: read_handler
# success: the source is read by os.open relative to its folder
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    folder = os.open(os.path.dirname(HANDLER), os.O_PATH)
    return os.read(os.open("main.py", os.O_RDONLY, dir_fd=folder), 500)
