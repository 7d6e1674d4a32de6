# class: lambda
# rule: runtime_api
# success: an answer is posted in the runtime's place
# proof: api
import urllib.request

from attack import API, attempt


@attempt
def post():
    where = "http://%s:%d/2018-06-01/runtime/invocation/1/response" % API
    return urllib.request.urlopen(where, b"{}", timeout=3).status == 200
