# class: files
# rule: read_write_tmp
# success: a file that another process removed is read after the function has made one of the same
#   name
# proof: read
# policy: ephemeral.yaml
import os

from attack import UNLINKED, attempt


@attempt
def read():
    name = os.readlink(UNLINKED)[: -len(" (deleted)")]
    with open(name, "x"):
        pass
    try:
        with open(UNLINKED) as file:
            return file.read()
    finally:
        os.unlink(name)
