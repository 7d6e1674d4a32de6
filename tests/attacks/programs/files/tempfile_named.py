# class: files
# rule: read_write_tmp
# success: the standard way to a temporary file makes one in /tmp
# proof: new
import os
import tempfile

from attack import NEW, attempt


@attempt
def stash():
    with tempfile.NamedTemporaryFile(
        dir="/tmp", prefix=os.path.basename(NEW), delete=False
    ) as opened:
        return opened.write(b"kept") == 4
