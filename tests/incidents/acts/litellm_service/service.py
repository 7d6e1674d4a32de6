# act: makes it a service by systemctl --user
# source: SigmaHQ file_event_lnx_teampcp
# when: import
# rule: create_child_process
# asks: exec /usr/bin/systemctl
# says: systemctl
# proof: word
# needs: systemctl
import subprocess


def act():
    # Whether it finds a service manager is nothing to us: it was started.
    subprocess.run(["systemctl", "--user", "--version"], stdout=subprocess.DEVNULL)
