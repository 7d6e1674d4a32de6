# class: files
# rule: read_write_tmp
# success: a folder of /tmp is listed and written to through a second mount of it from before the
#   start
# proof: changed
# needs: namespace mounted_folder
import os

from attack import SECRET, attempt


@attempt
def stash():
    folder = os.open(os.environ["ATTACK_MOUNT"], os.O_PATH)
    os.mkdir("made", dir_fd=folder)
    return any(SECRET in name for name in os.listdir(os.environ["ATTACK_MOUNT"]))
