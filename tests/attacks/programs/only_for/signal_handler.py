# class: only_for
# rule: outbound_connectivity
# success: a signal's handler connects while the allowed package is running
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import os
import signal

import stripe
from attack import SINK, attempt


@attempt
def handler():
    done = []
    signal.signal(signal.SIGUSR1, lambda *_: done.append(stripe.charge(SINK)))
    stripe.call(os.kill, os.getpid(), signal.SIGUSR1)
    return done
