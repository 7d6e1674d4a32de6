# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a program sends bytes that are not TLS on a connection that was made before it began
# proof: word
# needs: resolver
import os
import subprocess

from attack import SECRET, at_allowed, attempt, child


def say(out):
    os.set_inheritable(out.fileno(), True)
    child(
        "import os; os.write(%d, %r)" % (out.fileno(), SECRET.encode()),
        close_fds=False,
        stderr=subprocess.DEVNULL,
    )


@attempt
def send():
    return at_allowed(say)
