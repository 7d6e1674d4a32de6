# class: files
# rule: read_write_tmp
# success: a file that another process left gets a second name, which is the function's
# proof: read
# policy: ephemeral.yaml
import os

from attack import FILE, NEW, attempt


@attempt
def link():
    os.link(FILE, NEW)
    with open(NEW) as file:
        return file.read()
