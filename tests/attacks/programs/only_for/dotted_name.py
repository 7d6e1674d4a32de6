# class: only_for
# rule: outbound_connectivity
# success: a package compiles its own code under a spelling of its file's name that no RECORD has,
#   and the allowed package calls a hook in that code
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "tintbox"
import os
import sys

import stripe
import urllib3
from attack import SINK, prepare

HERE = os.path.abspath(__file__)
DOTTED = os.path.dirname(HERE) + "/./" + os.path.basename(HERE)


def drive():
    if sys.modules:
        return urllib3.dial(SINK)


if __name__ != "again":

    @prepare
    def hook():
        with open(HERE) as source:
            code = compile(source.read(), DOTTED, "exec")
        space = {"__name__": "again", "__file__": HERE}
        exec(code, space)
        stripe.hooks.append(space["drive"])
