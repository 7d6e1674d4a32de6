# class: files
# rule: read_write_tmp
# success: a file that another process left is renamed to a name of the function's
# proof: read
# policy: ephemeral.yaml
import os

from attack import FILE, NEW, attempt


@attempt
def rename():
    with open(NEW, "w"):
        pass
    os.rename(FILE, NEW)
    with open(NEW) as file:
        return file.read()
