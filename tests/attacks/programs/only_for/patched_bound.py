# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses is replaced by a bound call
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# open: a bound call has no frame that shows who bound it
import types

import requests
import urllib3
from attack import SINK, prepare


@prepare
def bound():
    requests.get = types.MethodType(urllib3.dial, SINK)
