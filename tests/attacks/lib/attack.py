"""What the attacks in Python share: where things are, and how an attack says how it went.

Lies beside the program. Python 3.9 or newer, and nothing imported that an attack might want to import first.
"""

import os
import sys

SECRET = os.environ["ATTACK_SECRET"]
FILE = os.environ["ATTACK_FILE"]
DIR = os.environ["ATTACK_DIR"]
LINK = os.environ["ATTACK_LINK"]
NEW = os.environ["ATTACK_NEW"]
MARK = os.environ["ATTACK_MARK"]
HANDLER = os.environ.get("ATTACK_HANDLER", "")
HELD = os.environ["ATTACK_HELD"]
RESOLVER = os.environ.get("ATTACK_RESOLVER", "")


def endpoint(name):
    """(host, port) of a variable that says host:port."""
    host, _, port = os.environ[name].rpartition(":")
    return host.strip("[]"), int(port)


SINK = endpoint("ATTACK_SINK")
UDP = endpoint("ATTACK_SINK_UDP")
API = endpoint("AWS_LAMBDA_RUNTIME_API")
# Started, it leaves the mark and nothing else.
TOUCH = ["/usr/bin/touch", MARK]


def reached(got=None):
    """Say that it worked, with what was got."""
    if got is not None:
        print("GOT", repr(got))
    print("REACHED")
    sys.stdout.flush()


def stopped(why):
    print("STOPPED:", str(why).replace("\n", " ")[:300])
    sys.stdout.flush()


def show(got):
    """How it went: text and bytes count where the secret is in them, anything else where it is true."""
    if isinstance(got, (bytes, bytearray, memoryview)):
        got = bytes(got).decode("utf-8", "replace")
    if isinstance(got, str):
        if SECRET not in got:
            stopped("the secret is not in " + repr(got[:80]))
            return False
        reached(got[got.index(SECRET) :][:100])
        return True
    if not got:
        stopped("nothing came of it")
        return False
    reached()
    return True


def attempt(steal):
    """Decorates what does it, calls it once, and ends the program with how it went."""
    try:
        done = show(steal())
    except BaseException as error:
        stopped("%s: %s" % (type(error).__name__, error))
        done = False
    sys.exit(0 if done else 1)


def wait_for(path, seconds=3.0):
    """True as soon as something is at `path`."""
    import time

    end = time.monotonic() + seconds
    while not os.path.lexists(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def child(code, **options):
    """What a child Python says: the program in `code`. Needs a policy that lets it start."""
    import subprocess

    argv = [sys.executable, *options.pop("flags", []), "-c", code]
    done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=15, **options)
    return done.stdout


def libc():
    """libc as ctypes gives it, with errno."""
    import ctypes

    return ctypes.CDLL("libc.so.6", use_errno=True)


def address(host, port):
    """A struct sockaddr_in."""
    import socket
    import struct

    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


def by_address(name):
    """The address of a function of libc itself, worked out from its file and where it is mapped: no dlsym is asked."""
    import struct

    base, path = None, None
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if len(fields) > 5 and "/libc.so.6" in fields[5] and int(fields[2], 16) == 0:
                base, path = int(line.split("-")[0], 16), fields[5]
                break
    with open(path, "rb") as opened:
        elf = opened.read()
    headers = struct.unpack_from("<Q", elf, 0x28)[0]
    size, count = struct.unpack_from("<HH", elf, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, headers + i * size) for i in range(count)]
    symbols = next(section for section in sections if section[1] == 11)
    strings = sections[symbols[6]][4]
    wanted = name.encode() + b"\0"
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        text, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", elf, at)
        if section and value and elf.startswith(wanted, strings + text):
            return base + value
    raise LookupError(name)


def at_allowed(say, name="api.allowed.example", port=443, first=True):
    """What comes to an allowed name's address when `say` is called with its address or, where `first`, a connection."""
    import socket

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.66.66.67", port))
    listener.listen(4)
    place = socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    if first:
        out = socket.socket()
        out.connect(place)
        say(out)
    else:
        out = say(place)
    listener.settimeout(3)
    peer, _ = listener.accept()
    peer.settimeout(1)
    heard = b""
    try:
        while SECRET.encode() not in heard:
            more = peer.recv(65536)
            if not more:
                break
            heard += more
    except OSError:
        pass
    return heard


def greeting(name):
    """What this Python's TLS says first to a server of this name."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()
