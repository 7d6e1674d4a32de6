# class: files
# rule: read_write_tmp
# success: the names in a folder of /tmp are found by a pattern
# proof: read
import glob

from attack import DIR, attempt


@attempt
def steal():
    return "\n".join(glob.glob("/[t]mp/" + DIR.split("/")[-1] + "/n*"))
