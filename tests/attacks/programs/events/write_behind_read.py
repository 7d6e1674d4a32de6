# class: events
# rule: read_write_tmp
# success: after a read of a file in /tmp, a write to it counts as a repeat of the read
# proof: changed
# says: "operation": "write"
import os

from attack import FILE, attempt


@attempt
def spoil():
    try:
        os.close(os.open(FILE, os.O_RDONLY))
    except OSError:
        pass
    return os.write(os.open(FILE, os.O_WRONLY), b"spoiled") > 0
