# act: Bun runs a script
# source: Lightning-AI/pytorch-lightning#21689
# when: thread
# rule: create_child_process
# asks: exec /tmp/bun
# says: bun
# proof: mark
import os
import subprocess

from . import incident


def act():
    # A link to the shell stands in for Bun.
    program = os.path.expanduser("~/bun")
    if not os.path.lexists(program):
        os.symlink("/bin/sh", program)
    subprocess.run([program, "-c", "touch " + incident.mark(__name__)], check=True, timeout=20)
