# class: files
# rule: read_write_tmp
# success: the names in a folder of /tmp are listed
# proof: read
import os

from attack import DIR, attempt


@attempt
def steal():
    return "\n".join(os.listdir(DIR))
