# class: files
# rule: read_write_tmp
# success: a file made elsewhere gets a second name in /tmp
# proof: new
# needs: one-filesystem
import os

from attack import NEW, attempt


@attempt
def stash():
    with open("made", "w") as opened:
        opened.write("kept")
    os.link("made", NEW)
    return True
