# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the runtime client's socket waits in a message while the client connects it, and is then
#   received
# proof: next
# needs: gcc
import array
import os
import socket
import time

from attack import attempt
from runtime_connection import start


@attempt
def ask():
    here, there = socket.socketpair()
    passed = array.array("i", [start(CLIENT_WAITS="300", CLIENT_SILENT="1")])
    here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
    time.sleep(0.6)
    _, control, _, _ = there.recvmsg(1, socket.CMSG_SPACE(4))
    copy = array.array("i", control[0][2])[0]
    return os.write(copy, b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n") > 0
