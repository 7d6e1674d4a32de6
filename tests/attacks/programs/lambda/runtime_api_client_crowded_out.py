# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the answer on a runtime client's connection is read after 64 other connections of clients
#   were made and closed, as code can force them to
# proof: word
# needs: gcc
# timeout: 40
import os

from attack import attempt
from runtime_connection import answered, start


@attempt
def take():
    first = answered(start())
    for _ in range(64):
        os.close(answered(start()))
    return os.read(first, 64).startswith(b"HTTP/1.1")
