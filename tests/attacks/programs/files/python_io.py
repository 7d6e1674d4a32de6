# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by io written in Python
# proof: read
import _pyio

from attack import FILE, attempt


@attempt
def steal():
    return _pyio.open(FILE).read()
