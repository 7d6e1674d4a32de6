# class: only_for
# rule: outbound_connectivity
# success: an object's finaliser calls the allowed package while that package is running
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import stripe
from attack import SINK, attempt


class Last:
    def __del__(self):
        done.append(stripe.charge(SINK))


done = []


@attempt
def finaliser():
    stripe.call(lambda last: None, Last())
    return done
