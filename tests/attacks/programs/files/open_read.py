# class: files
# rule: read_write_tmp
# success: a file in /tmp is read, by its plain name
# proof: read
from attack import FILE, attempt


@attempt
def steal():
    with open(FILE) as opened:
        return opened.read()
