# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses is patched, and the function calls that package
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "tintbox"
import requests
import urllib3
from attack import SINK, prepare


@prepare
def patched():
    requests.get = lambda address: urllib3.dial(SINK)
