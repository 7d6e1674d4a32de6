# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses is patched with code that is compiled under the
#   name of its own file
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
def borrowed():
    space = {"dial": urllib3.dial, "sink": SINK, "__name__": "requests"}
    exec(compile(SOURCE, requests.__file__, "exec"), space)
    requests.get = space["get"]
