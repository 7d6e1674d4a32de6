# class: files
# rule: read_write_tmp
# success: a link that another thread turns round leads to a socket in /tmp just when that is
#   connected to
# proof: word
# needs: listener
# unreported: a policy that only reports connects to what is there by then
# timeout: 40
import os
import socket
import threading
import time

from attack import DIR, attempt

KIND = socket.SOCK_STREAM


def turn(end):
    while time.monotonic() < end:
        for target in (DIR + "/stream", "harmless"):
            os.symlink(target, "next")
            os.replace("next", "turning")


@attempt
def reach():
    harmless = socket.socket(socket.AF_UNIX, KIND)
    harmless.bind("harmless")
    harmless.listen(4096)
    os.symlink("harmless", "turning")
    end = time.monotonic() + 5
    thread = threading.Thread(target=turn, args=(end,), daemon=True)
    thread.start()
    while time.monotonic() < end:
        made = socket.socket(socket.AF_UNIX, KIND)
        made.setblocking(False)
        try:
            made.connect("turning")
            if made.getpeername().startswith(DIR):
                return True
        except OSError:
            pass
        finally:
            made.close()
    return False
