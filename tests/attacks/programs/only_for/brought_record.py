# class: only_for
# rule: outbound_connectivity
# success: a package brings a RECORD that lists its module as the allowed package's
# proof: sink
# needs: packages record
# policy: only_for.yaml
import requests
from attack import SINK, attempt


@attempt
def claimed():
    return requests.get(SINK)
