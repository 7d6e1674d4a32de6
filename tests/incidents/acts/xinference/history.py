# act: reads the environment and the shell's history
# source: MAL-2026-3000
# when: import
# open: only /tmp and the handler's source are guarded: whatever else the function may read,
#   its packages may read
# proof: word
import os


def act():
    with open(os.path.expanduser("~/.bash_history")) as opened:
        assert opened.read() and os.environ["AWS_SECRET_ACCESS_KEY"]
