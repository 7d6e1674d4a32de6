# class: only_for
# rule: outbound_connectivity
# success: a folder that the attacker writes says that its code is the allowed package's
# proof: sink
# needs: packages
# policy: only_for.yaml
import os
import sys

from attack import SINK, attempt

SOURCE = "import urllib3, threading\ndef charge(address):\n    return urllib3.dial(address)\n"


@attempt
def written():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "new")
    os.makedirs(root + "/stripe-1.0.dist-info")
    os.makedirs(root + "/stripe")
    with open(root + "/stripe/__init__.py", "w") as file:
        file.write(SOURCE)
    with open(root + "/stripe-1.0.dist-info/RECORD", "w") as file:
        file.write("stripe/__init__.py,,\n")
    with open(root + "/stripe-1.0.dist-info/METADATA", "w") as file:
        file.write("Name: stripe\nVersion: 1.0\nRequires-Dist: tintbox\n")
    sys.path.insert(0, root)
    sys.modules.pop("stripe", None)
    import stripe

    return stripe.charge(SINK)
