# class: files
# rule: read_write_tmp
# success: a file without a name in /tmp is read through the /proc of the process that made it
# proof: read
# policy: ephemeral.yaml
from attack import UNLINKED, attempt


@attempt
def read():
    with open(UNLINKED) as file:
        return file.read()
