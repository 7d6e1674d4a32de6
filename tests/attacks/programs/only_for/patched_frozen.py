# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses is patched with code under the name of a
#   built-in module
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "unknown"
import requests
import urllib3
from attack import SINK, prepare

SOURCE = "def get(address):\n    return dial(sink)"


@prepare
def frozen():
    space = {"dial": urllib3.dial, "sink": SINK}
    exec(compile(SOURCE, "<frozen importlib._bootstrap>", "exec"), space)
    requests.get = space["get"]
