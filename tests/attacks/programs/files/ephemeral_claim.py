# class: files
# rule: read_write_tmp
# success: a folder that another process left is read after the function has tried to make it
# proof: read
# policy: ephemeral.yaml
import contextlib
import os

from attack import DIR, FILE, attempt


@attempt
def claim():
    for act in (
        lambda: os.mkdir(DIR),
        lambda: os.rmdir(DIR),
        lambda: os.open(FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        lambda: os.open(FILE + "/none", os.O_CREAT | os.O_WRONLY),
        lambda: os.symlink("nowhere", DIR),
        lambda: os.open(DIR, os.O_TMPFILE | os.O_RDWR),
    ):
        with contextlib.suppress(OSError):
            act()
    with open(FILE) as file:
        return file.read()
