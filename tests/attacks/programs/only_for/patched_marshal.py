# class: only_for
# rule: outbound_connectivity
# success: a function that the allowed package uses gets code from bytes, under the name of its file
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# also: native_code
import marshal

import requests
from attack import SINK, prepare

SOURCE = "def get(address):\n    return urllib3.dial(sink)"


@prepare
def unmarshalled():
    requests.sink = SINK
    code = marshal.loads(marshal.dumps(compile(SOURCE, requests.__file__, "exec")))
    exec(code, requests.__dict__)
