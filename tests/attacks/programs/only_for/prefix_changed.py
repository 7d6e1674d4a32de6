# class: only_for
# rule: outbound_connectivity
# success: a package says that the standard library lies in its own folder, and the allowed package
#   calls a hook of code from there
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "tintbox"
import functools
import importlib.util
import os
import sys

import stripe
from attack import SINK, prepare


@prepare
def hook():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.base_prefix = sys.base_exec_prefix = here
    place = importlib.util.spec_from_file_location("inner", here + "/lib/python3.0/inner.py")
    inner = importlib.util.module_from_spec(place)
    place.loader.exec_module(inner)
    stripe.hooks.append(functools.partial(inner.drive, SINK))
