# class: only_for
# rule: outbound_connectivity
# success: code runs by exec in the namespace of the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
import stripe
from attack import SINK, attempt


@attempt
def namespace():
    stripe.__dict__["_address"] = SINK
    exec("_done = charge(_address)", stripe.__dict__)
    return stripe._done
