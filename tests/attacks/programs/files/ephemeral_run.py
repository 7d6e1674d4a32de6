# class: files
# rule: read_write_tmp
# success: a program that the function put into /tmp is run
# proof: mark
# policy: ephemeral.yaml
import shutil
import subprocess

from attack import NEW, TOUCH, attempt


@attempt
def run():
    shutil.copy(TOUCH[0], NEW)
    return subprocess.run([NEW, *TOUCH[1:]]).returncode == 0
