# act: writes ~/.config/sysmon/sysmon.py
# source: SigmaHQ file_event_lnx_teampcp
# when: import
# open: only /tmp is guarded; on Lambda, /tmp is the only place that can be written to
# proof: word
import os


def act():
    folder = os.path.expanduser("~/.config/sysmon")
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/sysmon.py", "w") as opened:
        opened.write("pass\n")
