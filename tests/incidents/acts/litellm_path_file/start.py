# act: a .pth file starts an interpreter with code that is packed as base64
# source: BerriAI/litellm#24512, BerriAI/litellm#24521, Sigma 36603778
# when: path_file
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
