"""The stand-in has the declared restrictions, and the guard holds in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fshield.local.container import ContainerFunction
from tests import support

PROBE = support.ROOT / "examples" / "probe"
REFUSED, ABSENT = {"errno": "EPERM"}, {"errno": "ENOSYS"}
#: The answers of a sandbox like Lambda's, by the probe's names.
ANSWERS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "prctl_name",
            "prctl_pdeathsig",
            "prctl_dumpable",
            "prctl_get_seccomp",
            "no_new_privs",
            "seccomp_available",
            "seccomp_filter",
            "seccomp_filter_no_new_privs",
            "seccomp_listener",
            "seccomp_by_prctl",
            "ptrace_traceme",
            "ptrace_attach",
            "user_namespace",
            "user_and_mount_namespace",
            "mount_namespace",
            "network_namespace",
            "mount",
            "chroot",
            "bpf",
        ),
        REFUSED,
    ),
    "landlock": ABSENT,
    "io_uring": ABSENT,
    "rlimit_fsize": {"ok": {"write": "EFBIG", "raised": False}},
    "tmp_executes": {"ok": {"status": 0}},
}
Make = Callable[[str], Path]


def answer_of(function: ContainerFunction, event: object = None) -> Any:
    with function:
        done = function.invoke(event or {})
    assert done.error is None, (done.error, done.output, function.log)
    return done.response


def test_probe_shows_the_restrictions(image: str) -> None:
    found = answer_of(
        ContainerFunction(PROBE, "app.handler", image=image, sandbox=True, guarded=False)
    )
    print(json.dumps(found, indent=1))
    assert {name: found["attempts"][name] for name in ANSWERS} == ANSWERS
    if os.uname().machine == "x86_64":
        assert found["attempts"]["compat_call"] == {"signal": "SIGSYS"}
    assert found["rings"]["kernel"] == ["RLIMIT_FSIZE"]
    facts = found["facts"]
    assert not facts["dev_shm"]
    assert facts["tmp"]["own_mount"]
    assert facts["limits"]["NOFILE"] == [1024, 1024]
    assert facts["status"]["Uid"].split() == ["993"] * 4
    assert facts["status"]["Gid"].split() == ["990"] * 4
    assert facts["status"]["CapEff"].strip("0") == facts["status"]["CapBnd"].strip("0") == ""
    assert any(line.startswith("/ ") and " ro" in line for line in facts["mounts"])
    assert "HOME" not in facts["variables"]["names"]


def test_probe_finds_the_same_under_monitor(image: str) -> None:
    function = ContainerFunction(PROBE, "app.handler", image=image, sandbox=True, policy="monitor")
    with function:
        done = function.invoke({})
    assert {name: done.response["attempts"][name] for name in ANSWERS} == ANSWERS
    assert done.events[0]["event"] == "armed"
    assert {"interpreter", "libc"} <= set(done.events[0]["rings"])
    assert any(event["event"] == "violation" for event in done.events)


def test_no_way_out_of_the_network(image: str, function_folder: Make) -> None:
    folder = function_folder("""
        import socket
        from pathlib import Path

        def handler(event, context):
            lines = Path("/proc/net/route").read_text().splitlines()[1:]
            routes = [line.split()[1] for line in lines]
            try:
                names = socket.gethostbyname("name.invalid-outside.example")
            except OSError:
                names = None
            return {"routes": routes, "names": names}
    """)
    found = answer_of(
        ContainerFunction(folder, "app.handler", image=image, sandbox=True, guarded=False)
    )
    assert "00000000" not in found["routes"]
    assert found["names"] is None


def test_starts_under_the_wrapper_as_on_lambda(image: str, function_folder: Make) -> None:
    folder = function_folder("""
        import os, sys

        def handler(event, context):
            return {
                "argv": sys.orig_argv, "path": sys.path, "handler": os.environ["_HANDLER"],
                "variables": sorted(os.environ), "pythonpath": os.environ.get("PYTHONPATH"),
            }
    """)
    bare = answer_of(
        ContainerFunction(folder, "app.handler", image=image, sandbox=True, guarded=False)
    )
    function = ContainerFunction(folder, "app.handler", image=image, sandbox=True)
    with function:
        done = function.invoke({})
    found = done.response
    assert done.events[0]["event"] == "armed"
    assert done.events[0]["policy_name"] == "default"
    assert found["argv"] == bare["argv"]
    assert found["path"][0] == "/var/task"
    assert [path for path in found["path"] if path != "/opt/python"] == [
        path for path in bare["path"] if path != "/opt/python"
    ]
    assert found["pythonpath"] == bare["pythonpath"]
    assert set(found["variables"]) - set(bare["variables"]) == {"AWS_LAMBDA_EXEC_WRAPPER"}


TMP_WAYS = """
    import contextlib, os

    def ways():
        yield "by name", lambda: open("/tmp/kept", "w").close()
        yield "by dots", lambda: open("/var/task/../../tmp/kept", "w").close()
        yield "by root", lambda: open("/proc/self/root/tmp/kept", "w").close()
        yield "by folder", lambda: os.open(
            "kept", os.O_CREAT | os.O_WRONLY, dir_fd=os.open("/tmp", os.O_PATH))
        yield "by folder's link", lambda: os.open(
            f"/proc/self/fd/{os.open('/', os.O_PATH)}/tmp/kept", os.O_CREAT | os.O_WRONLY)
        yield "a folder", lambda: os.mkdir("/tmp/folder")
        yield "a link", lambda: os.symlink("kept data", "/tmp/link")
        yield "the list", lambda: os.listdir("/tmp")
        yield "no name", lambda: os.open("/tmp", os.O_TMPFILE | os.O_WRONLY)

    def handler(event, context):
        found = {}
        for name, way in ways():
            try:
                way()
                found[name] = "done"
            except OSError as error:
                found[name] = error.errno
            with contextlib.suppress(OSError):
                os.unlink("/tmp/kept")
        return found
"""


def test_tmp_is_held_as_a_mount_of_its_own(image: str, function_folder: Make) -> None:
    folder = function_folder(TMP_WAYS)
    bare = answer_of(
        ContainerFunction(folder, "app.handler", image=image, sandbox=True, guarded=False)
    )
    assert set(bare.values()) == {"done"}, bare
    function = ContainerFunction(folder, "app.handler", image=image, sandbox=True, policy="default")
    with function:
        done = function.invoke({})
        kept = function.execute("/bin/ls", "-A", "/tmp")
    assert set(done.response.values()) == {13}, done.response
    assert kept == (0, b"")
    assert {event["policy"] for event in done.events if event["event"] == "violation"} == {
        "read_write_tmp"
    }


# Machine code that makes a system call directly, past libc's doors.
RAW_WRITE = """
    import ctypes, resource

    CODE = bytes.fromhex("4889f84889f74889d64889ca4d89c20f05c3")

    def handler(event, context):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        numbers = [ctypes.c_int] * 3 + [ctypes.c_long]
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + numbers
        place = libc.mmap(None, 4096, 7, 0x22, -1, 0)
        ctypes.memmove(place, CODE, len(CODE))
        call = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 4)(place)
        def address(data):
            buffer = ctypes.create_string_buffer(data)
            keep.append(buffer)
            return ctypes.addressof(buffer)
        keep = []
        opened = call(2, address(b"/tmp/raw"), 0o102, 0o600)
        written = call(1, opened, address(b"kept"), 4)
        raised = True
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        except (OSError, ValueError):
            raised = False
        return {
            "opened": opened > 2, "written": written, "raised": raised,
            "limit": resource.getrlimit(resource.RLIMIT_FSIZE),
        }
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="its machine code is for x86_64")
@pytest.mark.parametrize("switch", ["on", "off"])
def test_the_kernel_ring_stops_a_raw_write(
    image: str, function_folder: Make, shared_path: Path, switch: str
) -> None:
    text = (support.ROOT / "policies" / "strict.yaml").read_text()
    text = text.replace("native_code: block", "native_code: allow").replace(
        "file_size: on", f"file_size: {switch}"
    )
    policy = shared_path / "raw.yaml"
    policy.write_text(text)
    function = ContainerFunction(
        function_folder(RAW_WRITE), "app.handler", image=image, sandbox=True, policy=str(policy)
    )
    with function:
        done = function.invoke({})
        size = function.execute("/usr/bin/stat", "-c", "%s", "/tmp/raw")
    assert done.error is None, (done.error, done.output)
    assert done.response["opened"]
    if switch == "off":
        # Open, as SECURITY.md says: the kernel ring is for this case.
        assert done.response["written"] == 4
        assert size == (0, b"4\n")
        return
    armed = done.events[0]
    assert "kernel" in armed["rings"], armed
    assert armed["kernel"] == "file_size"
    assert done.response["limit"] == [0, 0]
    assert done.response["written"] == -27  # EFBIG
    assert not done.response["raised"]
    assert size == (0, b"0\n")


def test_strict_names_the_kernel_ring(image: str, function_folder: Make) -> None:
    folder = function_folder("""
        def handler(event, context):
            print("an honest line")
            return {"sum": sum(range(10))}
    """)
    function = ContainerFunction(folder, "app.handler", image=image, sandbox=True, policy="strict")
    with function:
        first, second = function.invoke({}), function.invoke({})
    assert first.response == second.response == {"sum": 45}
    assert first.output == ["an honest line"]
    assert first.events[0]["kernel"] == "file_size", first.events[0]
    assert set(first.events[0]["rings"]) == {"interpreter", "libc", "kernel"}
    assert len(first.events) == 1, first.events
    assert second.events == []
