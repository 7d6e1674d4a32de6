# class: files
# rule: read_write_tmp
# success: a file that another process left in /tmp is read where the function's own files are
#   allowed
# proof: read
# policy: ephemeral.yaml
from attack import FILE, attempt


@attempt
def read():
    with open(FILE) as file:
        return file.read()
