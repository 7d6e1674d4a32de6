# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a socket is passed within this process and connected to the name server meanwhile, and
#   another thread writes to the new fd before the door that received it has inspected it
# proof: query
# needs: resolver
# timeout: 60
from attack import attempt
from passing import written_while_passed


@attempt
def ask():
    return written_while_passed(connected_before=False)
