# class: files
# rule: read_write_tmp
# success: a file that another process left is read through a link of the function's
# proof: read
# policy: ephemeral.yaml
import os

from attack import FILE, NEW, attempt


@attempt
def follow():
    os.symlink(FILE, NEW)
    with open(NEW) as file:
        return file.read()
