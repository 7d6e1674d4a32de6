# act: starts it in a session of its own
# source: mistralai/client-python#523
# when: import
# rule: create_child_process
# asks: exec /var/lang/bin/python3
# says: /tmp/transformers.pyz
# proof: mark
import os
import subprocess

from . import incident


def act():
    command = [incident.PYTHON, "/tmp/transformers.pyz"]
    started = subprocess.Popen(command, start_new_session=True, env=dict(os.environ))
    assert started.wait(20) == 0
