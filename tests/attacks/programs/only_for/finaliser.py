# class: only_for
# rule: outbound_connectivity
# success: an object's end calls the allowed package, while that package is at work
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
