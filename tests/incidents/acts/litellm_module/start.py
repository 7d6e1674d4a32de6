# act: a module starts an interpreter with packed code at import
# source: public write-ups
# when: import
# rule: create_child_process
# asks: exec /var/lang/bin/python3
# says: exec(
# proof: mark
import base64
import subprocess

from . import incident


def act():
    code = base64.b64encode(incident.touching(__name__).encode())
    command = f"import base64; exec(base64.b64decode({code!r}))"
    subprocess.Popen([incident.PYTHON, "-c", command]).wait(20)
