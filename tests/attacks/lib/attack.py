"""What the attacks in Python share: the places to attack, and how an attack reports its result.

The runner copies it beside each program. It runs on Python 3.9, and imports nothing that an attack
might want to import first.
"""

import os
import sys

# The text to steal.
SECRET = os.environ["ATTACK_SECRET"]
# A file under /tmp that holds the secret, its folder, and a link whose target holds the secret.
FILE = os.environ["ATTACK_FILE"]
DIR = os.environ["ATTACK_DIR"]
LINK = os.environ["ATTACK_LINK"]
# A path under /tmp where nothing exists yet.
NEW = os.environ["ATTACK_NEW"]
# A path outside /tmp. A program that must not run leaves a file there.
MARK = os.environ["ATTACK_MARK"]
HANDLER = os.environ.get("ATTACK_HANDLER", "")
# FILE again, as PID:FD: the runner has it open.
HELD = os.environ["ATTACK_HELD"]
# A file in /tmp without a name, by its maker's fd.
UNLINKED = os.environ["ATTACK_UNLINKED"]
LAYER = os.environ["ATTACK_LAYER"]
CORE = LAYER + "/function-shield.d/function-shield.so"
RESOLVER = os.environ.get("ATTACK_RESOLVER", "")
HOSTS = os.stat("/etc/hosts") if os.path.exists("/etc/hosts") else None


def endpoint(name):
    """The (host, port) in a variable of the form host:port."""
    host, _, port = os.environ[name].rpartition(":")
    return host.strip("[]"), int(port)


SINK = endpoint("ATTACK_SINK")
UDP = endpoint("ATTACK_SINK_UDP")
API = endpoint("AWS_LAMBDA_RUNTIME_API")
# A program that leaves the mark, and does nothing else.
TOUCH = ["/usr/bin/touch", MARK]


def reached(got=None):
    """Report success, and print what was stolen."""
    if got is not None:
        print("GOT", repr(got))
    print("REACHED")
    sys.stdout.flush()


def stopped(why):
    print("STOPPED:", str(why).replace("\n", " ")[:300])
    sys.stdout.flush()


def show(got):
    """Report the result. Text and bytes are a success if they contain the secret. Anything else is
    a success if it is true."""
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
    """A decorator that calls the attack once, reports the result, and ends the program."""
    try:
        done = show(steal())
    except BaseException as error:
        stopped("%s: %s" % (type(error).__name__, error))
        done = False
    sys.exit(0 if done else 1)


def prepare(attack):
    """A decorator for attacks that plant something for the function's own call of stripe.work(),
    with no frame of their own on that stack. The result is reported at exit."""
    import atexit

    import urllib3

    def report():
        if SINK in urllib3.dialled or os.path.lexists(NEW):
            reached()
        else:
            stopped("nobody dialled, and nothing is new")

    atexit.register(report)
    attack()


def patience(seconds):
    """How long to try a race or wait for something: `seconds`, or longer in a run that must
    succeed, because the machine may be busy."""
    return max(seconds, float(os.environ.get("ATTACK_SECONDS", "0")))


def wait_for(path, seconds=3.0):
    """Wait for something to exist at `path`. Returns false after the timeout."""
    import time

    end = time.monotonic() + patience(seconds)
    while not os.path.lexists(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def child(code, **options):
    """Run the program `code` in a child Python, and return its output. Needs a policy that lets it
    start."""
    import subprocess

    argv = [sys.executable, *options.pop("flags", []), "-c", code]
    done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=15, **options)
    return done.stdout


def libc():
    """libc by ctypes, with errno."""
    import ctypes

    return ctypes.CDLL("libc.so.6", use_errno=True)


def address(host, port):
    """A struct sockaddr_in."""
    import socket
    import struct

    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


def by_address(name):
    """The address of a function of libc, from libc's file and its mapping, without a call of
    dlsym."""
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
    """What arrives at an allowed name's address. `say` is called with a connection to it or, if
    `first` is false, with the address; it then returns the connection."""
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
    listener.settimeout(patience(3))
    peer, _ = listener.accept()
    peer.settimeout(patience(1))
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
    """The ClientHello that this Python sends to a server of this name."""
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


def is_hosts(fd):
    """Whether `fd` refers to /etc/hosts."""
    return os.path.samestat(os.fstat(fd), HOSTS)


def is_asking(fd):
    """Whether `fd` is a socket that is connected to the name server."""
    import socket

    same = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=fd)
    try:
        return same.getpeername() == (RESOLVER, 53)
    finally:
        same.detach()


def beside_lookups(wanted, act, look=None, seconds=20.0, stays=False):
    """The first true result of `act(fd)`, on those of libc's own fds that are `wanted`, while two
    threads look up an allowed name. The race ends after `seconds`, or after 5 if no fd was ever
    wanted; later in a run that must succeed.

    With `stays`, a result counts only if the fd refers to the same file afterwards. A lookup may
    end at any moment, and its fd is then reused.
    """
    import socket
    import threading
    import time

    def work():
        while not over.is_set():
            try:
                look() if look else socket.getaddrinfo("api.allowed.example", 443)
            except OSError:
                pass

    over = threading.Event()
    free = os.dup(0)
    os.close(free)
    start = time.monotonic()
    looking = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in looking:
        thread.start()
    done, seen = None, False
    while not done and time.monotonic() - start < patience(seconds if seen else 5):
        for fd in range(free, free + 4):
            try:
                before = os.fstat(fd).st_ino
                if not wanted(fd):
                    continue
                seen = True
                done = act(fd)
                if done and stays and os.fstat(fd).st_ino != before:
                    done = None
            except OSError:
                done = None
                continue
            if done:
                break
    over.set()
    for thread in looking:
        thread.join(seconds)
    return done


def question(name, kind=1):
    """A DNS question."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0" + bytes([kind]) + b"\0\1"


def answer_to(asked, address):
    """A DNS answer to the question `asked` that gives `address`."""
    import socket

    end = asked.index(b"\0", 12) + 5
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    one = asked[end - 4 : end - 2] == b"\0\1"
    head = asked[:2] + b"\x81\x80\0\1\0" + (b"\1" if one else b"\0") + bytes(4)
    return head + asked[12:end] + (record if one else b"")
