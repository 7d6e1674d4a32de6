# class: files
# rule: read_write_tmp
# success: a socket with a name in /tmp is bound
# proof: new
import socket

from attack import NEW, attempt


@attempt
def stash():
    socket.socket(socket.AF_UNIX).bind(NEW)
    return True
