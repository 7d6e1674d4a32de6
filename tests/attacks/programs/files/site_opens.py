# class: files
# rule: read_write_tmp
# success: code that site runs reads a file in /tmp
# proof: read
# says: site_opens
# when: site
from attack import FILE, attempt


@attempt
def steal():
    with open(FILE) as opened:
        return opened.read()
