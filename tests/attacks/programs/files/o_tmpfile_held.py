# class: files
# rule: read_write_tmp
# success: data is kept in a file of /tmp that never has a name
# proof: word
import os

from attack import attempt


@attempt
def stash():
    fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"kept")
    return os.pread(fd, 4, 0) == b"kept"
