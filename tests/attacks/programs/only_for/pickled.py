# class: only_for
# rule: outbound_connectivity
# success: unpickling calls the allowed package, from inside of it
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import pickle

import stripe
from attack import SINK, attempt


class Call:
    def __reduce__(self):
        return (stripe.charge, (SINK,))


@attempt
def pickled():
    return stripe.call(pickle.loads, pickle.dumps(Call()))
