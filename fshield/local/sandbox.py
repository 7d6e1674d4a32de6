"""Lambda's sandbox, as data for a container: user, mounts, privileges, and the kernel's answer to
each system call.

From what functions on Lambda have reported (user 993, group 990, a read-only root, ``/tmp`` a
mount of its own without noexec, no ``/dev/shm``, no capabilities, EPERM from ``prctl``, 1,024
processes and fds). Calls whose answer on Lambda is unknown (``process_vm_writev``,
``memfd_create``, ``pidfd_getfd``) are allowed, so that the guard must hold without help.
"""

from __future__ import annotations

import json
from typing import Any

UID, GID = 993, 990
#: Processes and threads together, and fds of one process.
PROCESSES = DESCRIPTORS = 1024
TMP_MIB = 512

#: Answered with EPERM, as Lambda does, or (the newer mount calls) as a process without capabilities
#: must expect.
REFUSED = (
    "prctl",
    "seccomp",
    "ptrace",
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "bpf",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "open_tree",
    "move_mount",
    "mount_setattr",
    "keyctl",
    "add_key",
    "request_key",
    "perf_event_open",
    "userfaultfd",
    "kexec_load",
    "init_module",
    "finit_module",
    "delete_module",
)
#: Answered with ENOSYS: the kernel there is 5.10, and has no io_uring for functions.
ABSENT = (
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
)
_EPERM, _ENOSYS = 1, 38


def seccomp_profile() -> str:
    """The profile, in the JSON that container engines take.

    Only the machine's own calls are named in it: one made by the compat way (``int 0x80``) kills
    with SIGSYS, as there.
    """
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [
                {"names": list(REFUSED), "action": "SCMP_ACT_ERRNO", "errnoRet": _EPERM},
                {"names": list(ABSENT), "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
            ],
        }
    )


def restrictions() -> dict[str, Any]:
    """Arguments of the docker SDK's ``containers.create`` that make a container such a sandbox."""
    return {
        "user": f"{UID}:{GID}",
        "read_only": True,
        "tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,uid={UID},gid={GID},mode=0700,size={TMP_MIB}m"},
        # Without an IPC namespace of its own to show, no /dev/shm is mounted.
        "ipc_mode": "none",
        "cap_drop": ["ALL"],
        # Older daemons pass questions on to their own resolver, whatever the network.
        "dns": ["127.0.0.1"],
        # With no_new_privs the engine applies the profile last, because it needs prctl before that.
        "security_opt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
        "pids_limit": PROCESSES,
        "ulimits": [{"Name": "nofile", "Soft": DESCRIPTORS, "Hard": DESCRIPTORS}],
    }
