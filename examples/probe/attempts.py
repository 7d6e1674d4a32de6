"""The attempts. Each runs in its own child. The return value is the answer; an OSError is the
kernel's refusal."""

# The probe tests the calls themselves, so pathlib is not used:
# ruff: noqa: PTH101, PTH108, PTH110, PTH116, PTH123, PTH208

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import struct
import sys
import time

from kernel import X86, call, libc
from trying import LIMIT_S

PR_SET_NAME, PR_SET_PDEATHSIG, PR_GET_SECCOMP, PR_SET_SECCOMP = 15, 1, 21, 22
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 4, 38, 39
SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL = 1, 2
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET = 0x10000000, 0x00020000, 0x40000000
PTRACE_TRACEME, PTRACE_ATTACH = 0, 16


def preload():
    """Whether LD_PRELOAD reaches a new program. If it does, the loader warns on stderr that the
    library is missing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 2)
        os.execve(
            sys.executable,
            [sys.executable, "-I", "-S", "-c", ""],
            {"LD_PRELOAD": "/nonexistent/probe.so"},
        )
    os.close(write)
    output = b"".join(iter(lambda: os.read(read, 4096), b""))
    os.waitpid(child, 0)
    return {"honoured": b"probe.so" in output}


def prctl(option, *arguments):
    return lambda: call("prctl", option, *(list(arguments) + [0] * (4 - len(arguments))))


def no_new_privs():
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return {"set": call("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1}


def _filter():
    """A filter with one instruction, which allows everything: BPF_RET | BPF_K,
    SECCOMP_RET_ALLOW."""
    instructions = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", 1, ctypes.addressof(instructions))
    )
    return program, instructions


def _seccomp(flags, privileges):
    def attempt():
        if privileges:
            with contextlib.suppress(OSError):
                call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        program, _kept = _filter()
        return call("seccomp", SECCOMP_SET_MODE_FILTER, flags, program)

    return attempt


def seccomp_available():
    action = ctypes.c_uint32(0x7FFF0000)
    return call("seccomp", SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action))


def seccomp_prctl():
    program, _kept = _filter()
    return call("prctl", PR_SET_SECCOMP, 2, program, 0, 0)


def landlock():
    """The version of Landlock's interface (flag LANDLOCK_CREATE_RULESET_VERSION)."""
    return {"abi": call("landlock_create_ruleset", None, 0, 1)}


def ptrace_traceme():
    return call("ptrace", PTRACE_TRACEME, 0, 0, 0)


def _with_child(attempt):
    """Run `attempt` on a waiting child of the same user."""

    def run():
        child = os.fork()
        if child == 0:
            time.sleep(LIMIT_S)
            os._exit(0)
        try:
            return attempt(child)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    return run


def ptrace_attach(child):
    return call("ptrace", PTRACE_ATTACH, child, 0, 0)


def _iovec(buffer):
    return ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(buffer), len(buffer)))


def read_memory(child):
    theirs, ours = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    return call("process_vm_readv", child, _iovec(ours), 1, _iovec(theirs), 1, 0)


def write_memory(child):
    theirs, ours = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    return call("process_vm_writev", child, _iovec(ours), 1, _iovec(theirs), 1, 0)


def take_descriptor(child):
    return call("pidfd_getfd", call("pidfd_open", child, 0), 0, 0)


def proc_mem_of_child(child):
    os.close(os.open(f"/proc/{child}/mem", os.O_RDWR))
    return True


def proc_mem_of_self():
    """Whether memory can be written through /proc/self/mem despite its protection, which is a way
    to patch a guard away."""
    page = ctypes.create_string_buffer(8)
    descriptor = os.open("/proc/self/mem", os.O_RDWR)
    return {"written": os.pwrite(descriptor, b"x", ctypes.addressof(page))}


def unshare(flags):
    return lambda: call("unshare", flags)


def mount():
    call("mount", b"none", b"/tmp", b"tmpfs", 0, None)
    return True


def chroot():
    return call("chroot", b"/tmp")


def memfd():
    descriptor = call("memfd_create", b"probe", 0)
    return {"written": os.write(descriptor, b"x")}


def memfd_execute():
    """Whether a program that exists only in memory can run."""
    descriptor = call("memfd_create", b"probe", 0)
    with open("/bin/true" if os.path.exists("/bin/true") else "/usr/bin/true", "rb") as source:
        os.write(descriptor, source.read())
    child = os.fork()
    if child == 0:
        try:
            os.execve(descriptor, ["true"], {})
        finally:
            os._exit(126)
    return {"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}


def io_uring():
    return call("io_uring_setup", 1, ctypes.create_string_buffer(120)) >= 0


def bpf():
    return call("bpf", 0, ctypes.create_string_buffer(120), 120)


def userfaultfd():
    return call("userfaultfd", 1) >= 0


def perf_events():
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0), 112)
    return call("perf_event_open", attributes, 0, -1, -1, 0) >= 0


def keyring():
    return call("keyctl", 0, -3, 0)


def openat2():
    how = ctypes.create_string_buffer(struct.pack("QQQ", os.O_RDONLY | os.O_PATH, 0, 0))
    return call("openat2", -100, b"/", how, 24) >= 0


def limit_file_size():
    """Whether RLIMIT_FSIZE=0 stops a raw write, and whether it can be raised again."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = f"/tmp/.probe-{os.getpid()}"
    answer = {}
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        answer["write"] = os.write(descriptor, b"x")
    except OSError as error:
        answer["write"] = errno.errorcode.get(error.errno)
    finally:
        os.close(descriptor)
        os.unlink(path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        answer["raised"] = True
    except (OSError, ValueError):
        answer["raised"] = False
    return answer


def limit_processes():
    """Whether RLIMIT_NPROC=0 stops a fork."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    try:
        child = os.fork()
    except OSError as error:
        return {"fork": errno.errorcode.get(error.errno)}
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return {"fork": "worked"}


def executable_memory():
    mapping = libc.mmap
    mapping.restype = ctypes.c_void_p
    mapping.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    # Read, write and execute; private and anonymous.
    found = mapping(None, 4096, 7, 0x22, -1, 0)
    if found == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


def tmp_executes():
    """Whether a program in /tmp can run (no noexec)."""
    path = f"/tmp/.probe-{os.getpid()}.sh"
    with open(path, "w") as script:
        script.write("#!/bin/sh\nexit 0\n")
    os.chmod(path, 0o700)
    child = os.fork()
    if child == 0:
        try:
            os.execv(path, [path])
        finally:
            os._exit(126)
    try:
        return {"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}
    finally:
        os.unlink(path)


def sockets():
    """The socket families that can be created. None is used."""
    wanted = {
        "unix": (1, 1),
        "inet": (2, 1),
        "inet6": (10, 1),
        "raw": (2, 3),
        "packet": (17, 3),
        "netlink": (16, 3),
        "vsock": (40, 1),
        "alg": (38, 5),
        "bluetooth": (31, 3),
    }
    answer = {}
    for name, (family, kind) in wanted.items():
        try:
            socket.socket(family, kind, 1 if name == "raw" else 0).close()
            answer[name] = True
        except OSError as error:
            answer[name] = errno.errorcode.get(error.errno, str(error))
    return answer


def compat_call():
    """int 0x80 on x86_64: getpid by its 32-bit number. Lambda answers with SIGSYS."""
    if not X86:
        return "no such call on this machine"
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
    executable_memory()
    place = libc.mmap(None, 4096, 7, 0x22, -1, 0)
    ctypes.memmove(place, code, len(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(place)() > 0


def proc_of_others():
    """The processes of this sandbox, and whether their environment and memory can be opened."""
    answer = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        seen = {"uid": os.stat(f"/proc/{name}").st_uid}
        for what, flags in (("environ", os.O_RDONLY), ("maps", os.O_RDONLY), ("mem", os.O_RDWR)):
            try:
                os.close(os.open(f"/proc/{name}/{what}", flags))
                seen[what] = True
            except OSError as error:
                seen[what] = errno.errorcode.get(error.errno)
        with open(f"/proc/{name}/comm") as file:
            answer[f"{name} {file.read().strip()}"] = seen
        if len(answer) >= 20:
            break
    return answer


ATTEMPTS = {
    "ld_preload": preload,
    "prctl_name": prctl(PR_SET_NAME, ctypes.c_char_p(b"probe")),
    "prctl_pdeathsig": prctl(PR_SET_PDEATHSIG, 0),
    "prctl_dumpable": prctl(PR_SET_DUMPABLE, 0),
    "prctl_get_seccomp": prctl(PR_GET_SECCOMP),
    "no_new_privs": no_new_privs,
    "seccomp_available": seccomp_available,
    "seccomp_filter": _seccomp(0, False),
    "seccomp_filter_no_new_privs": _seccomp(0, True),
    "seccomp_listener": _seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER, True),
    "seccomp_by_prctl": seccomp_prctl,
    "landlock": landlock,
    "ptrace_traceme": ptrace_traceme,
    "ptrace_attach": _with_child(ptrace_attach),
    "process_vm_readv": _with_child(read_memory),
    "process_vm_writev": _with_child(write_memory),
    "pidfd_getfd": _with_child(take_descriptor),
    "proc_mem_of_child": _with_child(proc_mem_of_child),
    "proc_mem_of_self": proc_mem_of_self,
    "proc_of_others": proc_of_others,
    "user_namespace": unshare(CLONE_NEWUSER),
    "user_and_mount_namespace": unshare(CLONE_NEWUSER | CLONE_NEWNS),
    "mount_namespace": unshare(CLONE_NEWNS),
    "network_namespace": unshare(CLONE_NEWNET),
    "mount": lambda: unshare(CLONE_NEWUSER | CLONE_NEWNS)() == 0 and mount(),
    "chroot": chroot,
    "memfd_create": memfd,
    "memfd_execute": memfd_execute,
    "io_uring": io_uring,
    "bpf": bpf,
    "userfaultfd": userfaultfd,
    "perf_event_open": perf_events,
    "keyring": keyring,
    "openat2": openat2,
    "rlimit_fsize": limit_file_size,
    "rlimit_nproc": limit_processes,
    "executable_memory": executable_memory,
    "tmp_executes": tmp_executes,
    "sockets": sockets,
    "compat_call": compat_call,
}
