# class: events
# rule: read_write_tmp
# success: a folder is made in /tmp whose name is no text in any encoding
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.mkdir(os.fsencode(NEW) + b"\xff\xfe\xed\xa0\x80\xc0\xaf\xf8\x88" * 20)
    return True
