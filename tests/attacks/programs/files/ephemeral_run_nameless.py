# class: files
# rule: read_write_tmp
# success: a program without a name in /tmp is run by its fd
# proof: mark
# policy: ephemeral.yaml
import os

from attack import TOUCH, attempt


@attempt
def run():
    fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o700)
    with open(TOUCH[0], "rb") as program:
        os.write(fd, program.read())
    path = "/proc/self/fd/%d" % os.open("/proc/self/fd/%d" % fd, os.O_RDONLY)
    os.close(fd)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, TOUCH)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
