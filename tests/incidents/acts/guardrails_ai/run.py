# act: python3 runs /tmp/transformers.pyz
# source: MAL-2026-3607
# when: import
# prepare: /tmp/transformers.pyz
# rule: create_child_process
# asks: exec /var/lang/bin/python3
# says: /tmp/transformers.pyz
# proof: mark
import subprocess

from . import incident


def act():
    subprocess.run([incident.PYTHON, "/tmp/transformers.pyz"], check=True, timeout=20)
