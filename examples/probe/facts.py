"""Facts about the sandbox that need no attempt."""

# The probe tests the calls themselves, so pathlib is not used:
# ruff: noqa: PTH112, PTH115, PTH116, PTH123

import errno
import os
import platform
import resource
import stat
import sys


def descriptors():
    """What fds 0, 1, 2 and the telemetry fd refer to."""
    wanted = {"0": 0, "1": 1, "2": 2}
    kinds = (
        ("pipe", stat.S_ISFIFO),
        ("socket", stat.S_ISSOCK),
        ("file", stat.S_ISREG),
        ("device", stat.S_ISCHR),
    )
    telemetry = os.environ.get("_LAMBDA_TELEMETRY_LOG_FD", "")
    if telemetry.isdigit():
        wanted["telemetry"] = int(telemetry)
    answer = {}
    for name, number in wanted.items():
        try:
            found = os.fstat(number)
            kind = next((word for word, test in kinds if test(found.st_mode)), "other")
            answer[name] = {
                "kind": kind,
                "target": os.readlink(f"/proc/self/fd/{number}"),
                "inode": found.st_ino,
            }
        except OSError as error:
            answer[name] = {"errno": errno.errorcode.get(error.errno)}
    return answer


def _file(path, limit=4096):
    try:
        with open(path, errors="replace") as file:
            return file.read(limit).strip()
    except OSError as error:
        return {"errno": errno.errorcode.get(error.errno)}


def status():
    """The lines of /proc/self/status about privileges."""
    wanted = (
        "Uid",
        "Gid",
        "Groups",
        "CapEff",
        "CapBnd",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
        "TracerPid",
    )
    text = _file("/proc/self/status")
    lines = text.splitlines() if isinstance(text, str) else []
    return {
        line.split(":")[0]: line.split(":", 1)[1].strip()
        for line in lines
        if line.split(":")[0] in wanted
    }


def mounts():
    """Mount point, type and options of the mounts of this process."""
    text = _file("/proc/self/mounts", 65536)
    if not isinstance(text, str):
        return text
    return [" ".join(line.split()[1:4]) for line in text.splitlines()][:60]


def limits():
    """Soft and hard limits; -1 is unlimited."""
    wanted = ("FSIZE", "NPROC", "NOFILE", "CORE", "AS", "STACK", "MEMLOCK")
    return {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in wanted}


def variables():
    """The names of the environment variables, and the values of those without secrets."""
    shown = (
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_LAMBDA_EXEC_WRAPPER",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "PATH",
        "_LAMBDA_TELEMETRY_LOG_FD",
        "AWS_LAMBDA_MAX_CONCURRENCY",
    )
    return {
        "names": sorted(os.environ),
        "values": {name: os.environ[name] for name in shown if name in os.environ},
    }


def facts():
    """The kernel, libc and Python, and the facts above."""
    return {
        "kernel": " ".join(os.uname()),
        "kernel_command_line": _file("/proc/cmdline", 1024),
        "libc": " ".join(platform.libc_ver()),
        "os": _file("/etc/os-release", 200),
        "python": sys.version,
        "machine": platform.machine(),
        "pid": os.getpid(),
        "command": sys.orig_argv if hasattr(sys, "orig_argv") else sys.argv,
        "status": status(),
        "limits": limits(),
        "descriptors": descriptors(),
        "mounts": mounts(),
        "dev_shm": os.path.isdir("/dev/shm"),
        "tmp": {
            "device": os.stat("/tmp").st_dev,
            "own_mount": os.stat("/tmp").st_dev != os.stat("/").st_dev,
        },
        "resolver": _file("/etc/resolv.conf", 512),
        "variables": variables(),
    }
