"""What the replayed acts share. Lies in the package that plays the distribution. Standard library
only; nothing imported that an act might want to import first."""

import os
import sys

SECRET = os.environ["INCIDENT_SECRET"]
#: What is started leaves a file here, and nothing else.
MARKS = os.environ["INCIDENT_MARKS"]
#: An address that no name leads to.
ADDRESS = os.environ["INCIDENT_ADDRESS"]
#: The interpreter that an act starts.
PYTHON = sys.executable


def mark(name):
    """The file that the act's module of this name leaves when it worked."""
    return os.path.join(MARKS, name.rpartition(".")[2])


def touching(name):
    """Python code that leaves the mark."""
    return f"open({mark(name)!r}, 'w').close()"


def https(url, data=None):
    """The answer to a request, from any server: the replay's servers have no known certificate."""
    import ssl
    import urllib.request

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(url, data, timeout=10, context=context) as answer:
        return answer.read()


def perform(module):
    """Do one act and say what came of it, as its author would not."""
    name = module.__name__.rpartition(".")[2]
    try:
        module.act()
    except Exception as error:
        print(f"ACT {name} STOPPED {type(error).__name__}: {error}".replace("\n", " ")[:300])
    else:
        print(f"ACT {name} DONE")
    sys.stdout.flush()
