# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by a name with .. in it
# proof: read
from attack import FILE, attempt


@attempt
def steal():
    with open("/usr/lib/../../var/./..//tmp/.." + FILE) as opened:
        return opened.read()
