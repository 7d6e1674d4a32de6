"""Passes through many doors, by the interpreter, its libraries and ctypes, in a separate folder."""

import ctypes
import glob
import locale
import mmap
import os
import pwd
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as name:
    folder = Path(name)
    (folder / "a").write_text("x")
    (folder / "a").rename(folder / "b")
    (folder / "c").symlink_to("b")
    os.link(folder / "b", folder / "e")
    (folder / "b").chmod(0o600)
    os.utime(folder / "b")
    (folder / "c").unlink()
    os.mkfifo(folder / "f")
    os.truncate(folder / "b", 0)
    base = sqlite3.connect(folder / "db")
    base.execute("create table t(x)")
    base.commit()
    base.close()
    tempfile.TemporaryFile(dir=folder).close()

server = socket.create_server(("127.0.0.1", 0))
thread = threading.Thread(target=server.accept)
thread.start()
with socket.create_connection(server.getsockname()) as connection:
    connection.sendall(b"x")
thread.join()
socket.getaddrinfo("localhost", 80)
pwd.getpwnam("root")
time.localtime()
locale.setlocale(locale.LC_ALL, "C.UTF-8")
subprocess.run(["/bin/true"], check=True)
os.system("true")
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
ssl.create_default_context()
glob.glob("/etc/*")  # noqa: PTH207
os.listdir("/")  # noqa: PTH208
mmap.mmap(-1, 4096)
ctypes.CDLL("libc.so.6").fopen(b"/etc/passwd", b"r")
