# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as code
# proof: read
import io

from attack import FILE, attempt


@attempt
def steal():
    with io.open_code(FILE) as opened:
        return opened.read()
