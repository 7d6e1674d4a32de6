# class: events
# rule: read_handler
# when: call
# success: after the runtime's own code has read the source for a traceback, a dependency reads it,
#   and the event names
#   the runtime
# proof: read
# says: "function": "steal"
from attack import HANDLER, attempt

CLIENT = "try: open(source).close()\nexcept OSError: pass"


@attempt
def steal():
    exec(compile(CLIENT, "/var/runtime/awslambdaric/bootstrap.py", "exec"), {"source": HANDLER})
    with open(HANDLER) as opened:
        return opened.read()
