# class: files
# rule: read_write_tmp
# success: a program in /tmp is run by its path in a second mount of /tmp
# proof: mark
# policy: ephemeral.yaml
# needs: namespace mounted
import os
import subprocess

from attack import NEW, TOUCH, attempt


@attempt
def run():
    with open(TOUCH[0], "rb") as program, open(NEW, "wb") as copy:
        copy.write(program.read())
    os.chmod(NEW, 0o700)
    other = os.environ["ATTACK_MOUNT"] + NEW[len("/tmp") :]
    return subprocess.call([other, *TOUCH[1:]]) == 0
