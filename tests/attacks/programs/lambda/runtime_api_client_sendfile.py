# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the answer to the runtime client's request is copied into a pipe, by a call that sends
#   from one file to another
# proof: word
# needs: gcc
import os

from attack import attempt
from runtime_connection import answered, start


@attempt
def take():
    inward, outward = os.pipe()
    sent = os.sendfile(outward, answered(start()), None, 4096)
    return os.read(inward, sent).startswith(b"HTTP/1.1")
