# class: only_for
# rule: outbound_connectivity
# success: a child process runs the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# also: create_child_process
import os
import sys

from attack import SINK, attempt


@attempt
def child():
    code = "import sys; sys.path.insert(0, %r); import stripe; stripe.charge(%r)" % (
        sys.path[0],
        SINK,
    )
    return os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
