"""Where this runs, the guard is not in this interpreter, and the program must not go on.

The launcher puts this file's folder first on PYTHONPATH. The core takes it out again once its audit
hook is in place. So this runs where the core could not get in: in a program that embeds Python, or
in a Python without audit hooks. Any Python must understand it, 2.7 included.
"""

import os
import sys
import time

answer = []  # type: ignore[var-annotated]
if hasattr(sys, "audit"):
    sys.audit("function_shield.armed", answer)
if not answer:
    sink = os.environ.get("FUNCTION_SHIELD_EVENTS", "stderr")
    line = (
        '{"function_shield":true,"event":"refused","event_version":1,"timestamp":"%s",'
        '"level":"FATAL","message":"the guard is not armed in this Python (%d.%d): start CPython'
        ' 3.9 or newer by its own program, python3","pid":%d}\n'
    )
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    data = (line % (now, sys.version_info[0], sys.version_info[1], os.getpid())).encode()
    try:
        fd = {"stderr": 2, "stdout": 1}.get(sink) or os.open(
            sink, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )
        os.write(fd, data)
    except OSError:
        os.write(2, data)
    os._exit(78)
