"""A child that prints whether it is guarded, and what it was given."""

import os
import socket
import sys
from pathlib import Path

print("argv", sys.argv[1:])
SHOWN = ("LD_", "GLIBC_", "FUNCTION_SHIELD_STATE", "KEPT")
print("environment", sorted(key for key in os.environ if key.startswith(SHOWN)))
print("LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH"))
print("comm", Path("/proc/self/comm").read_text().strip())
try:
    socket.create_connection(("127.66.66.66", 9), 0.2)
except PermissionError:
    print("guarded")
except OSError as error:
    print("unguarded", error)
