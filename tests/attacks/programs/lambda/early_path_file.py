# class: lambda
# rule: read_write_tmp
# success: a .pth file of the function reads a file in /tmp before the handler is imported
# proof: read
# when: pth
from attack import FILE, attempt


@attempt
def steal():
    with open(FILE) as opened:
        return opened.read()
