# class: only_for
# rule: outbound_connectivity
# success: code compiled under the name of a built-in module hides the package that made it
# proof: sink
# needs: packages
# policy: only_for.yaml
import threading

import stripe
from attack import SINK, attempt

SOURCE = "def run():\n    done.append(charge(address))"


@attempt
def frozen():
    done = []
    space = {"charge": stripe.charge, "address": SINK, "done": done}
    exec(compile(SOURCE, "<frozen importlib._bootstrap>", "exec"), space)
    thread = threading.Thread(target=space["run"])
    thread.start()
    thread.join()
    return done and done[0]
