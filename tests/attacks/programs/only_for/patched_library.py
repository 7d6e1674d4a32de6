# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses is patched with code that is compiled under the
#   name of a file of the standard library
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "unknown"
import socket

import requests
import urllib3
from attack import SINK, prepare

SOURCE = "def get(address):\n    return dial(sink)"


@prepare
def library():
    space = {"dial": urllib3.dial, "sink": SINK, "__name__": "socket"}
    exec(compile(SOURCE, socket.__file__, "exec"), space)
    requests.get = space["get"]
