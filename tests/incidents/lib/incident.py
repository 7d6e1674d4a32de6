"""What the replayed acts share. It lies in the package that plays the distribution. Uses the
standard library only, and imports nothing whose import could itself be an act."""

import os
import sys

SECRET = os.environ["INCIDENT_SECRET"]
#: Each started program leaves its mark in this folder, and does nothing else.
MARKS = os.environ["INCIDENT_MARKS"]
#: An address that no name leads to.
ADDRESS = os.environ["INCIDENT_ADDRESS"]
#: The interpreter that an act starts.
PYTHON = sys.executable


def mark(name):
    """The path of the mark that this act's program leaves when it ran."""
    return os.path.join(MARKS, name.rpartition(".")[2])


def touching(name):
    """Python code that leaves the mark."""
    return f"open({mark(name)!r}, 'w').close()"


def https(url, data=None):
    """Send an HTTPS request and return the answer. Certificates are not checked: the replay's
    servers sign their own."""
    import ssl
    import urllib.request

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(url, data, timeout=10, context=context) as answer:
        return answer.read()


def perform(module):
    """Do one act and print its result, which a real attacker would not."""
    name = module.__name__.rpartition(".")[2]
    try:
        module.act()
    except Exception as error:
        print(f"ACT {name} STOPPED {type(error).__name__}: {error}".replace("\n", " ")[:300])
    else:
        print(f"ACT {name} DONE")
    sys.stdout.flush()
