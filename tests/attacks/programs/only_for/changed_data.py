# class: only_for
# rule: outbound_connectivity
# success: a variable of the allowed package says where it goes
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# open: only_for judges whose code acts, not by whose data
import stripe
from attack import SINK, prepare


@prepare
def changed():
    stripe.home = SINK
