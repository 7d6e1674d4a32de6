# class: files
# rule: read_write_tmp
# success: a link that another thread turns round leads to a socket in /tmp just when that is
#   sent to
# proof: word
# needs: listener
# unreported: a policy that only reports sends to what is there by then
# timeout: 40
import os
import socket
import threading
import time

from attack import DIR, attempt

KIND = socket.SOCK_DGRAM


def turn(end):
    while time.monotonic() < end:
        for target in (DIR + "/datagram", "harmless"):
            os.symlink(target, "next")
            os.replace("next", "turning")


@attempt
def reach():
    harmless = socket.socket(socket.AF_UNIX, KIND)
    harmless.bind("harmless")
    harmless.setblocking(False)
    os.symlink("harmless", "turning")
    end = time.monotonic() + 5
    thread = threading.Thread(target=turn, args=(end,), daemon=True)
    thread.start()
    while time.monotonic() < end:
        made = socket.socket(socket.AF_UNIX, KIND)
        made.setblocking(False)
        try:
            made.sendto(b"data", "turning")
            # It is in one queue or the other.
            harmless.recv(100)
        except BlockingIOError:
            return True
        except OSError:
            pass
        finally:
            made.close()
    return False
