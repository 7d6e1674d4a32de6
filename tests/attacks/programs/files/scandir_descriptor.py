# class: files
# rule: read_write_tmp
# success: the names in a folder of /tmp are listed by its fd
# proof: read
import os

from attack import DIR, attempt


@attempt
def steal():
    root = os.open("/", os.O_RDONLY)
    with os.scandir(os.open(DIR[1:], os.O_RDONLY, dir_fd=root)) as entries:
        return "\n".join(entry.name for entry in entries)
