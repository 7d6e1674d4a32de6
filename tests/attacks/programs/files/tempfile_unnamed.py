# class: files
# rule: read_write_tmp
# success: a temporary file without a name keeps data in /tmp
# proof: word
import tempfile

from attack import attempt


@attempt
def stash():
    with tempfile.TemporaryFile(dir="/tmp") as opened:
        opened.write(b"kept")
        opened.seek(0)
        return opened.read() == b"kept"
