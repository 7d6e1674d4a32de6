# class: only_for
# rule: outbound_connectivity
# success: code that is compiled under the file name of the allowed package connects, in a thread
#   that this package started
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import stripe
from attack import SINK, attempt

SOURCE = """
import socket

def dial(address):
    socket.create_connection(address, 5).close()
    return True
"""


@attempt
def borrowed():
    space = {}
    exec(compile(SOURCE, stripe.__file__, "exec"), space)
    return stripe.in_thread(space["dial"], SINK)
