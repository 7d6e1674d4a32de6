# act: runs the commands that it found in it
# source: MAL-2026-2254
# when: import
# rule: create_child_process
# asks: exec /usr/bin/bash
# says: touch
# proof: mark
import subprocess

from . import incident


def act():
    subprocess.run("touch " + incident.mark(__name__), shell=True, check=True)
