# class: handler
# rule: read_handler
# success: the source is copied, and the copy read
# proof: read
# when: import
import shutil

from attack import HANDLER, attempt


@attempt
def steal():
    shutil.copy(HANDLER, "copy")
    with open("copy") as opened:
        return opened.read()
