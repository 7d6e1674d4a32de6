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
    # systemctl was started, which is the act. Whether it finds a service manager does not matter.
    subprocess.run(["systemctl", "--user", "--version"], stdout=subprocess.DEVNULL)
