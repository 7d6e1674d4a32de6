# class: files
# rule: read_write_tmp
# success: what another process removed is read once a file of the function's has the name that it
#   had
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
