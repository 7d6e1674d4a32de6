# class: configuration
# rule: guard_integrity create_child_process
# policy: child-allowed.yaml
# layer: own
# success: another file and the guard's library swap their names by a folder's fd, and a child reads
#   a file in /tmp
# proof: read
import os
import subprocess

from attack import CORE, FILE, attempt


@attempt
def steal():
    with open("other", "wb") as opened:
        opened.write(b"nothing")
    folder = os.open(os.path.dirname(CORE), os.O_RDONLY)
    os.rename(os.path.basename(CORE), "old", src_dir_fd=folder)
    os.rename("other", os.path.basename(CORE), dst_dir_fd=folder)
    return subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE).stdout
