"""Raw system calls: their numbers on both architectures, and the call itself."""

import ctypes
import os
import platform

X86 = platform.machine() == "x86_64"
# Linux system call numbers: asm/unistd_64.h and asm-generic/unistd.h.
NUMBERS = {
    "ptrace": (101, 117),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "memfd_create": (319, 279),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "landlock_create_ruleset": (444, 444),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "mount": (165, 40),
    "chroot": (161, 51),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "execveat": (322, 281),
    "openat2": (437, 437),
    "perf_event_open": (298, 241),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "getpid": (39, 172),
    "name_to_handle_at": (303, 264),
    "clone3": (435, 435),
}

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Make a system call. Returns its result, or raises OSError."""
    libc.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name][0 if X86 else 1]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
