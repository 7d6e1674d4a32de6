# class: only_for
# rule: outbound_connectivity
# success: a package reaches another package's host through a library that both use
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import requests
from attack import SINK, attempt


@attempt
def direct():
    return requests.get(SINK)
