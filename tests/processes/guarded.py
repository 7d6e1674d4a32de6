"""A child that shows whether it is guarded, and what it was given."""

import os
import socket
import sys

print("argv", sys.argv[1:])
print("environment", sorted(key for key in os.environ if key.startswith(("LD_", "GLIBC_", "FUNCTION_SHIELD", "KEPT"))))
print("LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH"))
print("comm", open("/proc/self/comm").read().strip())
try:
    socket.create_connection(("127.66.66.66", 9), 0.2)
except PermissionError:
    print("guarded")
except OSError as error:
    print("unguarded", error)
