# class: only_for
# rule: outbound_connectivity
# success: another package changes the variable in which the allowed package has its host
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
