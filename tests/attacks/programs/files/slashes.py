# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by a name with many slashes and dots
# proof: read
from attack import FILE, attempt


@attempt
def steal():
    with open(FILE.replace("/tmp/", "//./tmp/.///./")) as opened:
        return opened.read()
