# act: a thread that the import starts runs _runtime/start.py
# source: Lightning-AI/pytorch-lightning#21689
# when: thread
# rule: create_child_process
# asks: exec /var/lang/bin/python3
# says: start.py
# proof: mark
import os
import subprocess

from . import incident


def act():
    script = os.path.join(os.path.dirname(__file__), "_runtime", "start.py")
    os.makedirs(os.path.dirname(script), exist_ok=True)
    with open(script, "w") as opened:
        opened.write(incident.touching(__name__))
    subprocess.run([incident.PYTHON, script], check=True, timeout=20)
