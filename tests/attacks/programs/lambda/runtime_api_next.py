# class: lambda
# rule: runtime_api
# success: the next event is taken from the Runtime API
# proof: api
import http.client
import os

from attack import attempt


@attempt
def take():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=3)
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    return connection.getresponse().status == 200
