# class: files
# rule: read_write_tmp
# success: a link of the function's leads to what another left
# proof: read
# policy: ephemeral.yaml
import os

from attack import FILE, NEW, attempt


@attempt
def follow():
    os.symlink(FILE, NEW)
    with open(NEW) as file:
        return file.read()
