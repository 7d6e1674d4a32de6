"""Many threads at every door at once: ``python tests/soak/soak.py [--seconds N] [--undefined |
--address]``.

Runs ``storm.c`` under a strict policy that allows one program to start. Checks that it ends by
itself and in time, that nothing came through, that nothing allowed was refused, that no fd leaked,
and that every line of the event stream is JSON. ``--undefined`` uses a core that traps at undefined
behaviour. ``--address`` runs storm and core under clang's AddressSanitizer.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import hellos, support
from tests.egress import places
from tests.egress.network import Network, NoNetwork

ROOT = support.ROOT
BUILD = ROOT / "build" / "soak"
CORE = support.CORE
EARLY = Path(__file__).with_name("early.c")
ADDRESS = ["-fsanitize=address"]
# As strict, except for one program. Forks pass, and each child is on probation until it becomes
# that program.
POLICY: dict[str, dict[str, Any]] = {
    "policy": {
        "outbound_connectivity": {"mode": "block", "allow": [{"host": places.QUICK}]},
        "read_write_tmp": "block",
        "create_child_process": {
            "mode": "block",
            "allow": [str(BUILD / "storm"), str(BUILD / "storm-address")],
        },
        "read_handler": "block",
        "native_code": "block",
        "runtime_api": "block",
    }
}


@dataclass
class Outcome:
    """The results of a run."""

    counts: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def network() -> Iterator[tuple[list[str], list[str]]]:
    """The beginning and the end of a command line that gives the command its own network. Empty if
    that is not possible.
    """
    folder = BUILD / "network"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        made = Network(folder)
    except NoNetwork as problem:
        print(f"skipping names, first bytes and questions: {problem}", file=sys.stderr)
        yield [], []
        return
    greetings = folder / "allowed.hello", folder / "other.hello"
    for path, name in zip(greetings, (places.QUICK, f"token.{places.THIEF}"), strict=True):
        path.write_bytes(hellos.openssl(name))
    try:
        yield made.enter, [places.RESOLVER, places.QUICK, *map(str, greetings)]
    finally:
        made.close()


def undefined_layer() -> Path:
    """A layer whose core ends the process (SIGILL or SIGTRAP) at undefined behaviour."""
    folder = BUILD / "layer"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(support.LAYER, folder)
    core = folder / "function-shield.d" / "function-shield.so"
    tool = [sys.executable, str(ROOT / "layer" / "zig.py")]
    # A door calls the next function through a type of our own.
    traps = ["-fsanitize=undefined", "-fno-sanitize=function", "-fsanitize-trap=undefined"]
    subprocess.run([*tool, "--out", str(core), "--", "core", *traps], check=True)
    subprocess.run(
        [*tool, "launcher", "--core", str(core), "--out", str(folder / "function-shield")],
        check=True,
    )
    for generated in (folder / "function-shield.d").glob("generated-*"):
        shutil.rmtree(generated)
    return folder


def address_layer(*, planted: bool = False) -> Path:
    """A layer whose core runs under AddressSanitizer. The program must contain the sanitizer's
    runtime: `program(address=True)`.

    Args:
        planted: whether to include the bug in planted.c, which the sanitizer must find.
    """
    folder, build = BUILD / "layer-address", ROOT / "layer" / "zig.py"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(support.LAYER, folder)
    core, generated = (
        folder / "function-shield.d" / "function-shield.so",
        BUILD / "generated-address",
    )
    sys.path.insert(0, str(ROOT / "layer"))
    zig = importlib.import_module("zig")
    doors, requests = zig.doors, zig.request_table
    doors.write(generated)
    requests.write(generated)
    flags = [
        clang(),
        *zig.COMMON,
        "-w",
        "-g",
        "-O1",
        "-fno-omit-frame-pointer",
        "-fPIC",
        "-ftls-model=initial-exec",
    ]
    flags += [
        f'-DFS_VERSION="{zig.version()}"',
        "-DFS_SANITIZED",
        "-I",
        str(CORE),
        "-I",
        str(generated),
    ]
    # Code that runs before the sanitizer has set up its memory is not instrumented.
    early = [BUILD / f"{name}.o" for name in ("early", "symbols", "absent")]
    subprocess.run([*flags, "-fno-builtin", "-c", str(EARLY), "-o", str(early[0])], check=True)
    plain = ["-Dstrcmp=early_compare", "-fno-builtin"]
    for name, out in zip(("symbols", "absent"), early[1:], strict=True):
        subprocess.run(
            [*flags, *plain, "-c", str(support.core_file(f"{name}.c")), "-o", str(out)], check=True
        )
    ignored = BUILD / "ignored.txt"
    # setrlimit and limit are left out: the sanitizer first sets its own limits.
    names = ("guard_start", "guard_ready", "dlsym", "dlvsym", "setrlimit", "limit")
    ignored.write_text("".join(["[address]\n", *(f"fun:{name}\n" for name in names)]))
    sources = sorted(
        path for path in CORE.rglob("*.c") if path.name not in ("symbols.c", "absent.c")
    )
    if planted:
        sources.append(Path(__file__).with_name("planted.c"))
    linking = ["-Wl,--wrap=client_hello_read"] if planted else []
    linking += [
        "-shared",
        "-Wl,-Bsymbolic",
        "-Wl,-z,now",
        f"-Wl,--version-script={generated / 'exports.map'}",
    ]
    rest = [*ADDRESS, f"-fsanitize-ignorelist={ignored}", *linking, *map(str, [*sources, *early])]
    subprocess.run([*flags, *rest, "-o", str(core)], check=True)
    command = [
        sys.executable,
        str(build),
        "launcher",
        "--core",
        str(core),
        "--out",
        str(folder / "function-shield"),
    ]
    subprocess.run(command, check=True)
    return folder


def clang() -> str:
    """clang, so that a program can carry the sanitizer's runtime for the core."""
    found = shutil.which("clang")
    if found is None:
        raise SystemExit("tests/soak/soak.py: clang is not here")
    return found


def program(*, address: bool = False) -> Path:
    """Compile storm.c."""
    compiler = clang() if address else shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("tests/soak/soak.py: neither gcc nor clang is here")
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / ("storm-address" if address else "storm")
    source = Path(__file__).with_name("storm.c")
    flags = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", *(ADDRESS if address else [])]
    subprocess.run([compiler, *flags, str(source), "-o", str(out), "-pthread"], check=True)
    return out


def check_events(text: str, outcome: Outcome) -> None:
    """Check that every line is an event, that repeats were counted, and that none was lost."""
    for line in text.splitlines():
        outcome.lines += 1
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            outcome.faults.append(f"no JSON: {line[:200]}")
            continue
        if len(line.encode()) >= 4096:
            outcome.faults.append(f"a line of {len(line)} bytes")
        if event.get("function_shield") is not True:
            outcome.faults.append(f"no event: {line[:200]}")


def soak(seconds: int, layer: Path = support.LAYER, *, address: bool = False) -> Outcome:
    """Run for ``seconds``."""
    outcome = Outcome()
    storm = program(address=address)
    handle, secret = tempfile.mkstemp(prefix="function-shield-soak-", dir="/tmp")
    os.close(handle)
    events = BUILD / "events.log"
    events.unlink(missing_ok=True)
    environment = support.clean_environment(
        {
            "FUNCTION_SHIELD_POLICY": support.policy_file(POLICY),
            "FUNCTION_SHIELD_EVENTS": str(events),
            "STORM_FILE": secret,
            # Leak detection needs ptrace, which the guard refuses.
            **({"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1"} if address else {}),
        }
    )
    command = [layer / "function-shield", storm, seconds, secret, "data.evil.example", storm]
    done_of = ["opens", "dials", "forks", "questions", "signals", "jumps", "cancels", "early"]
    try:
        with network() as (enter, reached):
            done = subprocess.run(
                [*enter, *map(str, command), *reached],
                env=environment,
                capture_output=True,
                text=True,
                timeout=seconds + 60,
                check=False,
            )
        done_of += ["greetings", "datagrams"] if reached else []
    except subprocess.TimeoutExpired:
        outcome.faults.append(f"it did not end within {seconds + 60} s")
        return outcome
    finally:
        Path(secret).unlink()
    if done.returncode != 0:
        outcome.faults.append(f"exit status {done.returncode}: {done.stderr[-2000:]}")
        return outcome
    outcome.counts = json.loads(done.stdout)
    for what in ("through", "broken"):
        if outcome.counts[what]:
            outcome.faults.append(f"{what}: {outcome.counts[what]}: {done.stderr[:2000]}")
    if outcome.counts["before"] != outcome.counts["after"]:
        outcome.faults.append(
            f"descriptors: {outcome.counts['before']} before, {outcome.counts['after']} after"
        )
    cheap, dear = outcome.counts["write_ns_before"], outcome.counts["write_ns_after"]
    if dear > 2 * cheap + 500:
        outcome.faults.append(f"a write costs {dear} ns in the end, and {cheap} in the beginning")
    outcome.faults += [f"{what}: none" for what in done_of if not outcome.counts[what]]
    made = list(Path(secret).parent.glob(f"{Path(secret).name}-*"))
    outcome.faults += [f"made: {path}" for path in made]
    check_events(events.read_text(errors="replace"), outcome)
    return outcome


def main() -> int:
    """Run it, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument(
        "--undefined", action="store_true", help="with a core that traps at undefined behaviour"
    )
    parser.add_argument(
        "--address", action="store_true", help="with program and core under AddressSanitizer"
    )
    options = parser.parse_args()
    layer = (
        undefined_layer()
        if options.undefined
        else address_layer()
        if options.address
        else support.LAYER
    )
    outcome = soak(options.seconds, layer, address=options.address)
    print(json.dumps(outcome.counts), f"{outcome.lines} event lines")
    for fault in outcome.faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
