"""Never unguarded: whatever could leave COMMAND unguarded ends it before its first line, in one
sentence."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fshield.engine import binary
from tests.contract.helpers import (
    PYTHON,
    SAY,
    build,
    copy_layer,
    core_of,
    executable,
    launch,
    policy_of,
    refusal,
)
from tests.support import LAYER, Guarded, policy_file, rules

BLOCK = rules("block", "block", "block", "block")
HEADER = 168


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """The launcher of a layer that a test may damage."""
    return copy_layer(tmp_path / "layer")


# ---- policies ----


def good() -> bytes:
    return Path(
        policy_file(
            {
                **BLOCK,
                "policy": {
                    **BLOCK["policy"],
                    "outbound_connectivity": {
                        "mode": "block",
                        "allow": [
                            {"host": "a.example"},
                            {"cidr": "10.0.0.0/8"},
                            {"host": "*.b.example"},
                        ],
                    },
                },
            }
        )
    ).read_bytes()


def refuse_policy(content: bytes, folder: Path) -> str:
    path = folder / "damaged.policy"
    path.write_bytes(content)
    sentence = refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": str(path)}))
    assert str(path) in sentence, "names the file"
    return sentence


def with_checksum(content: bytearray) -> bytes:
    content[16:24] = bytes(8)
    content[16:24] = binary.checksum(bytes(content)).to_bytes(8, "little")
    return bytes(content)


def test_the_policy_used_here_is_good(tmp_path: Path) -> None:
    path = tmp_path / "good.policy"
    path.write_bytes(with_checksum(bytearray(good())))
    assert launch(SAY, env={"FUNCTION_SHIELD_POLICY": str(path)}).stdout == "ran\n"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 16, 100, HEADER - 1, HEADER, HEADER + 8, -1, -8, -16])
def test_truncated_policy(size: int, tmp_path: Path) -> None:
    assert "fshield compile" in refuse_policy(good()[:size], tmp_path)


def test_policy_with_something_after_it(tmp_path: Path) -> None:
    for more in (b"\0", b"\n", bytes(8), good()):
        refuse_policy(good() + more, tmp_path)


def test_flipped_bits(tmp_path: Path) -> None:
    """Every byte of the header, and a spread of the rest."""
    content = good()
    for index in [*range(HEADER), *range(HEADER, len(content), 23)]:
        damaged = bytearray(content)
        damaged[index] ^= 1 << index % 8
        refuse_policy(bytes(damaged), tmp_path)


def test_other_files(tmp_path: Path) -> None:
    for content in (
        b"version: 1\npolicy:\n  read_write_tmp: block\n",
        os.urandom(5000),
        bytes(5000),
        b"FSPOLICY",
    ):
        refuse_policy(content, tmp_path)


@pytest.mark.parametrize("major", [0, 2, 255, 65535])
def test_unknown_version(major: int, tmp_path: Path) -> None:
    content = bytearray(good())
    content[8:10] = major.to_bytes(2, "little")
    assert "version" in refuse_policy(with_checksum(content), tmp_path)


def test_a_newer_minor_version_runs(tmp_path: Path) -> None:
    content = bytearray(good())
    content[10:12] = (9).to_bytes(2, "little")
    path = tmp_path / "newer.policy"
    path.write_bytes(with_checksum(content))
    code = (
        "try: open('/tmp/function-shield-nonexistent')\nexcept OSError as error: print(error.errno)"
    )
    assert launch([PYTHON, "-c", code], env={"FUNCTION_SHIELD_POLICY": str(path)}).stdout == "13\n"


def test_a_right_checksum_over_nonsense_is_no_crash(tmp_path: Path) -> None:
    """Offsets and counts that lead outside: refused, or never followed."""
    for index in range(24, len(good()), 4):
        content = bytearray(good())
        content[index : index + 4] = b"\xff\xff\xff\x7f"
        path = tmp_path / "nonsense.policy"
        path.write_bytes(with_checksum(content))
        code = (
            "import socket\ntry: socket.getaddrinfo('a.example', 443)\nexcept OSError:"
            " pass\nprint('ran')"
        )
        result = launch([PYTHON, "-S", "-c", code], env={"FUNCTION_SHIELD_POLICY": str(path)})
        assert result.returncode in (0, 1, 78), (index, result)


def test_missing_unreadable_and_odd_policies(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.policy").mkdir()
    (tmp_path / "loop.policy").symlink_to("loop.policy")
    for path in (
        "missing",
        "pipe",
        "folder.policy",
        "loop.policy",
        "missing/deeper",
        "x" * 300,
        "y/" * 3000,
    ):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": f"{tmp_path}/{path}"}))
    for path in ("/dev/null", "/dev/zero", "/proc/self/mem", "/proc/1"):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": path}))
    for name in ("no-such-policy", ".", "..", "default.policy", "x" * 5000, "%s%n", "a\nb"):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_POLICY": name}))


@pytest.mark.parametrize(
    "how", ["dangling", "loop", "folder", "empty", "policies dangling", "policies loop", "pipe"]
)
def test_a_floor_that_cannot_be_read(layer: Path, how: str) -> None:
    """Only "it is not there" is absence: nothing else drops the floor without a word."""
    floor = policy_of(layer, "floor")
    folder = floor.parent
    if how.startswith("policies"):
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("nowhere" if how.endswith("dangling") else folder.name)
    elif how in ("dangling", "loop"):
        floor.symlink_to("nowhere" if how == "dangling" else floor.name)
    elif how == "folder":
        floor.mkdir()
    elif how == "pipe":
        os.mkfifo(floor)
    else:
        floor.touch()
    sentence = refusal(
        launch(SAY, launcher=layer, env={"FUNCTION_SHIELD_POLICY": policy_file(BLOCK)})
    )
    assert "floor.policy" in sentence


@pytest.mark.parametrize("target", ["nowhere", "thumbnailer.policy"])
def test_the_functions_policy_that_cannot_be_read(layer: Path, target: str) -> None:
    policy_of(layer, "thumbnailer").symlink_to(target)
    assert "thumbnailer.policy" in refusal(
        launch(SAY, launcher=layer, env={"AWS_LAMBDA_FUNCTION_NAME": "thumbnailer"})
    )


def test_no_floor_and_no_policies(layer: Path) -> None:
    """A layer without the folder has no floor, and runs by a policy that is named by its path."""
    shutil.rmtree(policy_of(layer, "floor").parent)
    assert (
        launch(SAY, launcher=layer, env={"FUNCTION_SHIELD_POLICY": policy_file(BLOCK)}).stdout
        == "ran\n"
    )


def as_nobody(argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As a user without rights, so that file modes bind."""
    return subprocess.run(
        argv,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user reaches, outside /tmp."""
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


@needs_root
@pytest.mark.parametrize("how", ["egid", "euid", "both", "real"])
@pytest.mark.parametrize(
    "command", [["/bin/sh", "-c", "echo ran"], ["/usr/bin/python3", "-ISc", "print('ran')"]]
)
def test_ids_that_differ(open_folder: Path, how: str, command: list[str]) -> None:
    """AT_SECURE: the loader would drop LD_PRELOAD without a word."""
    launcher = copy_layer(open_folder / "layer")

    def change() -> None:
        if how in {"egid", "both"}:
            os.setegid(65534)
        if how in {"euid", "both"}:
            os.seteuid(65534)
        if how == "real":
            os.setreuid(65534, 0)

    assert "real user" in refusal(launch(command, launcher=launcher, preexec_fn=change, cwd="/"))


@needs_root
def test_a_launcher_that_takes_other_rights(open_folder: Path) -> None:
    launcher = copy_layer(open_folder / "layer")
    launcher.chmod(0o4755)
    done = as_nobody([str(launcher), "/bin/sh", "-c", "echo ran"], {})
    assert (done.returncode, done.stdout) == (78, ""), done
    assert "setuid" in done.stderr


@needs_root
def test_an_unprivileged_user_is_guarded(open_folder: Path) -> None:
    launcher = copy_layer(open_folder / "layer")
    code = (
        "try: open('/tmp/function-shield-nonexistent')\nexcept OSError as error:"
        " print(type(error).__name__)"
    )
    done = as_nobody([str(launcher), "/usr/bin/python3", "-c", code], {})
    assert done.stdout == "PolicyViolation\n", done


@needs_root
@pytest.mark.parametrize("what", ["policy", "core", "policies folder", "site"])
def test_unreadable_parts(open_folder: Path, what: str) -> None:
    launcher = copy_layer(open_folder / "layer")
    part = {
        "policy": policy_of(launcher, "default"),
        "core": core_of(launcher),
        "policies folder": policy_of(launcher, "default").parent,
        "site": launcher.parent / "function-shield.d" / "site",
    }[what]
    part.chmod(0)
    done = as_nobody([str(launcher), "/usr/bin/python3", "-c", "print('ran')"], {})
    part.chmod(0o700)
    if what == "site":
        # The witness is asked only where the hook is not in place.
        assert '"event":"armed"' in done.stderr or done.returncode == 78
    else:
        assert (done.returncode, done.stdout, done.stderr.count('"event":"refused"')) == (
            78,
            "",
            1,
        ), done


# ---- the core ----


@pytest.mark.parametrize("size", [0, 1, 64, 4096, 50_000, -1])
def test_truncated_core(layer: Path, size: int) -> None:
    content = core_of(layer).read_bytes()
    core_of(layer).write_bytes(content[:size])
    assert "attach the layer again" in refusal(launch(SAY, launcher=layer))


def test_core_with_a_changed_byte(layer: Path) -> None:
    content = core_of(layer).read_bytes()
    for index in [0, 4, 18, 64, *range(200, len(content), len(content) // 24), len(content) - 1]:
        damaged = bytearray(content)
        damaged[index] ^= 0x10
        core_of(layer).write_bytes(bytes(damaged))
        assert "damaged" in refusal(launch(SAY, launcher=layer)), index


@pytest.mark.parametrize(
    "how", ["removed", "folder", "broken link", "pipe", "other architecture", "longer", "libc"]
)
def test_no_core_of_ours(layer: Path, how: str) -> None:
    core = core_of(layer)
    content = core.read_bytes()
    core.unlink()
    if how == "folder":
        core.mkdir()
    elif how == "broken link":
        core.symlink_to("nowhere")
    elif how == "pipe":
        os.mkfifo(core)
    elif how == "other architecture":
        machine = bytearray(content)
        machine[18:20] = b"\xb7\x00" if os.uname().machine == "x86_64" else b"\x3e\x00"
        core.write_bytes(bytes(machine))
    elif how == "longer":
        core.write_bytes(content + b"\0")
    elif how == "libc":
        (libc,) = [
            path
            for path in map(
                Path, ("/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6")
            )
            if path.exists()
        ]
        shutil.copy(libc, core)
    assert "attach the layer again" in refusal(launch(SAY, launcher=layer))


def test_the_launcher_alone(tmp_path: Path) -> None:
    shutil.copy(LAYER / "function-shield", tmp_path / "function-shield")
    refusal(launch(SAY, launcher=tmp_path / "function-shield"))


def test_a_core_without_its_execute_bit_still_guards(layer: Path) -> None:
    """Some tools that unzip lose it."""
    core_of(layer).chmod(0o644)
    result = launch([PYTHON, "-c", "import os; os.listdir('/tmp')"], launcher=layer)
    assert "PolicyViolation" in result.stderr


@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_little_memory(kind: str) -> None:
    """The loader would start a small program and libc, and find no room for the core."""

    def limit(kilobytes: int) -> Guarded:
        size = kilobytes << 10
        lower = partial(resource.setrlimit, getattr(resource, kind), (size, size))
        return launch(["/bin/sh", "-c", "echo ran"], preexec_fn=lower)

    for kilobytes in range(2500, 3100, 50):
        assert "below 8 MB" in refusal(limit(kilobytes))
    assert limit(8192).stdout == "ran\n"


# ---- COMMAND ----

STATIC = ["static.c", "static", "-static", "-nostdlib", "-nostartfiles"]


def test_static_command() -> None:
    assert "static" in refusal(launch([build(*STATIC)]))
    assert "static" in refusal(launch([LAYER / "function-shield", *SAY])), (
        "the launcher under itself"
    )


def test_static_pie_command() -> None:
    """It has a dynamic section, and no loader that would read LD_PRELOAD."""
    program = build("static.c", "static-pie", "-static-pie", "-fPIE", "-nostdlib", "-nostartfiles")
    assert "static" in refusal(launch([program]))


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o6755])
def test_setuid_command(tmp_path: Path, bits: int) -> None:
    copy = tmp_path / "id"
    shutil.copy("/usr/bin/id", copy)
    copy.chmod(bits)
    assert "setuid" in refusal(launch([copy]))
    copy.chmod(0o755)
    assert launch([copy]).returncode == 0


def test_command_with_capabilities(tmp_path: Path) -> None:
    copy = tmp_path / "id"
    shutil.copy("/usr/bin/id", copy)
    # VFS_CAP_REVISION_2, effective, cap_net_bind_service
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    try:
        os.setxattr(copy, "security.capability", value)
    except OSError:
        pytest.skip("file capabilities cannot be set here")
    assert "capabilities" in refusal(launch([copy]))


def loader_of(program: bytes) -> bytes:
    start = program.index(b"/lib", 0)
    return program[start : program.index(b"\0", start)]


@pytest.mark.parametrize(
    "loader", ["/lib/ld-musl-x86_64.so.1", "/no/loader", "/usr/bin/env", "", "ld.so"]
)
def test_foreign_loader(tmp_path: Path, loader: str) -> None:
    content = Path("/bin/true").resolve().read_bytes()
    ours = loader_of(content)
    padded = loader.encode()[: len(ours)].ljust(len(ours), b"\0")
    program = tmp_path / "program"
    program.write_bytes(content.replace(ours, padded, 1))
    program.chmod(0o755)
    assert "loader" in refusal(launch([program]))


def test_command_for_another_machine(tmp_path: Path) -> None:
    content = bytearray(Path("/bin/true").resolve().read_bytes())
    program = tmp_path / "program"
    for offset, value in ((18, b"\xf3\x00"), (4, b"\x01"), (5, b"\x02")):
        damaged = bytearray(content)
        damaged[offset : offset + len(value)] = value
        program.write_bytes(bytes(damaged))
        program.chmod(0o755)
        refusal(launch([program]))


def test_damaged_command(tmp_path: Path) -> None:
    content = Path("/bin/true").resolve().read_bytes()
    program = tmp_path / "program"
    for damaged in (
        b"",
        content[:4],
        content[:64],
        content[:100],
        b"#!",
        b"#!\n",
        b"#!/no/such/interpreter\n",
        b"text\n",
    ):
        program.write_bytes(damaged)
        program.chmod(0o755)
        refusal(launch([program]))


def test_script_whose_interpreter_cannot_be_guarded(tmp_path: Path) -> None:
    script = executable(tmp_path / "script", f"#!{build(*STATIC)}\n")
    assert "static" in refusal(launch([script]))
    first = executable(tmp_path / "first", f"#!{script}\n")
    assert "static" in refusal(launch([first]))


def test_scripts_of_scripts(tmp_path: Path) -> None:
    """As deep as the kernel goes, and a circle."""
    executable(tmp_path / "0", f"#!{PYTHON}\nprint('ran')\n")
    for depth in range(1, 8):
        executable(tmp_path / str(depth), f"#!{tmp_path}/{depth - 1}\n")
        result = launch([tmp_path / str(depth)])
        assert (result.stdout, result.returncode) == ("ran\n", 0) or refusal(result)
    executable(tmp_path / "circle", f"#!{tmp_path}/circle\n")
    refusal(launch([tmp_path / "circle"]))


def test_missing_command(tmp_path: Path) -> None:
    refusal(launch([]))
    for name in (
        "",
        "no-such-command",
        "/no/such/command",
        "./no-such-command",
        str(tmp_path),
        "/etc/passwd",
        "x" * 5000,
    ):
        refusal(launch([name]))
    (tmp_path / "not-executable").write_text("#!/bin/sh\necho ran\n")
    refusal(launch([tmp_path / "not-executable"]))
    (tmp_path / "loop").symlink_to("loop")
    refusal(launch([tmp_path / "loop"]))


# ---- places ----


@pytest.fixture
def below_tmp() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


BLOCK_TMP = rules(tmp="block")


def test_layer_under_tmp(below_tmp: Path) -> None:
    launcher = copy_layer(below_tmp / "layer")
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    assert "/tmp" in refusal(launch(SAY, launcher=launcher, env=env))
    for policy in (
        rules(),
        rules(tmp="alert"),
        rules(tmp={"mode": "block", "allow": [f"{below_tmp}/**"]}),
    ):
        result = launch(SAY, launcher=launcher, env={"FUNCTION_SHIELD_POLICY": policy_file(policy)})
        assert result.stdout == "ran\n", result


@pytest.mark.parametrize(
    "folders",
    [
        "/tmp/lib",
        "/usr/lib:/tmp/absent/lib",
        "/var/../tmp",
        "/usr/lib:",
        ":/usr/lib",
        "lib",
        "/dev/shm;/usr/lib",
    ],
)
def test_libraries_found_where_the_function_writes(folders: str) -> None:
    """A bare name is looked up in LD_LIBRARY_PATH by the loader, past every door."""
    env = {"LD_LIBRARY_PATH": folders}
    sentence = refusal(
        launch(SAY, env={**env, "FUNCTION_SHIELD_POLICY": policy_file(rules(native_code="block"))})
    )
    assert "LD_LIBRARY_PATH" in sentence and "native_code" in sentence
    passing = (
        rules(),
        rules(native_code="alert"),
        rules(native_code={"mode": "block", "allow": ["/tmp/**", "/dev/**"]}),
    )
    for policy in passing:
        assert (
            launch(SAY, env={**env, "FUNCTION_SHIELD_POLICY": policy_file(policy)}).stdout
            == "ran\n"
        )


def test_libraries_found_where_nobody_writes() -> None:
    env = {
        "LD_LIBRARY_PATH": "/usr/lib:/tmpfs:/opt/lib:$ORIGIN/lib",
        "FUNCTION_SHIELD_POLICY": policy_file(rules(native_code="block")),
    }
    assert launch(SAY, env=env).stdout == "ran\n"


def test_function_under_tmp(below_tmp: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(below_tmp)
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    for folder in (str(below_tmp), f"{below_tmp}/", str(tmp_path / "link"), f"/var/..{below_tmp}"):
        sentence = refusal(launch(SAY, env={**env, "LAMBDA_TASK_ROOT": folder}))
        assert "function" in sentence and "/tmp" in sentence
    (Path("/tmp") / "x").exists()
    assert launch(SAY, env={**env, "LAMBDA_TASK_ROOT": "/tmpfs"}).stdout == "ran\n"


def test_python_under_tmp(below_tmp: Path, tmp_path: Path) -> None:
    """A virtual environment there, and a program of its own there."""
    env = {"FUNCTION_SHIELD_POLICY": policy_file(BLOCK_TMP)}
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", below_tmp / "venv"], check=True, timeout=60
    )
    assert "/tmp" in refusal(launch([below_tmp / "venv" / "bin" / "python", *SAY[1:]], env=env))
    executable(below_tmp / "run", f"#!{PYTHON}\nprint('ran')\n")
    assert "/tmp" in refusal(launch([below_tmp / "run"], env=env))
    (tmp_path / "linked").symlink_to(below_tmp / "run")
    assert "/tmp" in refusal(launch([tmp_path / "linked"], env=env))


def test_policy_under_tmp_is_fine(below_tmp: Path) -> None:
    """It is read before the policy holds; children are guarded by it as well."""
    shutil.copy(policy_file(BLOCK_TMP), below_tmp / "test.policy")
    code = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c',"
        " 'print(open(\"/tmp/function-shield-nonexistent\"))'])"
    )
    result = launch(
        [PYTHON, "-c", code], env={"FUNCTION_SHIELD_POLICY": f"{below_tmp}/test.policy"}
    )
    assert result.stdout == "" and "PolicyViolation" in result.stderr


# ---- where events go ----


def test_events_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in ("/no/such/folder/log", str(tmp_path), "/proc/self/no", "x" * 5000):
        refusal(launch(SAY, env={"FUNCTION_SHIELD_EVENTS": path}))
