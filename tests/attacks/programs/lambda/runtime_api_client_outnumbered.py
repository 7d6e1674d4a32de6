# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the answer on a runtime client's connection is read while 64 other connections of clients
#   live, as code can force them to make
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
        answered(start())
    return os.read(first, 64).startswith(b"HTTP/1.1")
