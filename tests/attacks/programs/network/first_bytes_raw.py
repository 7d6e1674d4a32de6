# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: bytes that are not TLS are sent to an allowed name's address, on the TLS port
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt


@attempt
def send():
    return at_allowed(lambda out: out.send(SECRET.encode()))
