# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by the raw file type, with an opener of its own
# proof: read
import _io
import os

from attack import DIR, attempt


@attempt
def steal():
    folder = os.open(DIR, os.O_PATH)
    return _io.FileIO("file", opener=lambda name, flags: os.open(name, flags, dir_fd=folder)).read()
