# class: only_for
# rule: outbound_connectivity
# success: at the interpreter's end, atexit calls a dependency of the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
import atexit

import urllib3
from attack import SINK, prepare


@prepare
def end():
    atexit.register(urllib3.dial, SINK)
