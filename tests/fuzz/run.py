"""Runs the fuzz targets: ``python tests/fuzz/run.py [TARGET…]``.

Each target is built with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer. It
starts from its seeds in ``corpus/TARGET``, and gets its share of FUZZ_SECONDS (60). New inputs are
kept in ``build/fuzz/TARGET``. An input that breaks something is printed, and kept there as
``crash-…``. Exit status 0 only if nothing broke.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORE = ROOT / "layer" / "core"
BUILD = ROOT / "build" / "fuzz"
# The target's name, and the files of its parser.
TARGETS: dict[str, tuple[str, ...]] = {
    "policy": ("policy.c", "fitting.c", "matching.c", "only_for.c", "decide.c", "expansion.c"),
    "json": ("json.c", "text.c"),
    "names": ("dns.c",),
    "dns": ("dns.c", "dns_message.c"),
    "http": ("http.c",),
    "client_hello": ("client_hello.c", "dns.c"),
    "host_header": ("host_header.c", "dns.c"),
    "proxy_answer": ("proxy_answer.c",),
    "addresses": ("addresses.c", "text.c"),
    "program": ("program.c", "text.c"),
}
OPTIONS = [
    *("-std=gnu11", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror"),
    *(
        "-fsanitize=fuzzer,address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
    ),
]
LONGEST = {"policy": 8192, "program": 1024}


def compiler() -> str | None:
    """clang, if its fuzzer is installed too."""
    clang = shutil.which("clang")
    if clang is None:
        return None
    source = "int LLVMFuzzerTestOneInput(void){return 0;}"
    command = [clang, "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", os.devnull]
    done = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    return clang if done.returncode == 0 else None


def build(clang: str, target: str) -> Path:
    """Compile ``target`` into build/fuzz."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / f"fuzz-{target}"
    sources = [HERE / f"{target}.c", *(next(CORE.rglob(name)) for name in TARGETS[target])]
    subprocess.run(
        [
            clang,
            *OPTIONS,
            "-I",
            str(CORE),
            *[str(source) for source in sources],
            "-o",
            str(program),
        ],
        check=True,
    )
    return program


def run(program: Path, target: str, seconds: int) -> subprocess.CompletedProcess[str]:
    """Fuzz for ``seconds``; 0 only runs the seeds once."""
    kept = BUILD / target
    kept.mkdir(parents=True, exist_ok=True)
    seeds = HERE / "corpus" / target
    limits = [f"-max_total_time={seconds}"] if seconds else ["-runs=0"]
    command = [
        str(program),
        *limits,
        f"-max_len={LONGEST.get(target, 2048)}",
        "-timeout=10",
        "-rss_limit_mb=1024",
    ]
    command += [f"-artifact_prefix={kept}/", "-print_final_stats=1", str(kept), str(seeds)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds + 120
    )


def main(chosen: list[str]) -> int:
    """Build and run the targets, two at a time."""
    clang = compiler()
    if clang is None:
        print(
            "tests/fuzz/run.py: clang and its libFuzzer are needed (Debian: clang and"
            " libclang-rt-dev)",
            file=sys.stderr,
        )
        return 2
    targets = chosen or list(TARGETS)
    workers = min(os.cpu_count() or 1, len(targets))
    share = max(int(os.environ.get("FUZZ_SECONDS", "60")) * workers // len(targets), 1)
    broken = 0
    with ThreadPoolExecutor(workers) as pool:
        programs = list(pool.map(lambda target: build(clang, target), targets))
        jobs = [
            pool.submit(run, program, target, share)
            for program, target in zip(programs, targets, strict=True)
        ]
        for target, job in zip(targets, jobs, strict=True):
            done = job.result()
            executed = next(
                (
                    line.split()[-1]
                    for line in done.stderr.splitlines()
                    if "number_of_executed" in line
                ),
                "?",
            )
            print(
                f"{target}: {executed} inputs in {share} s,"
                f" {'nothing broke' if done.returncode == 0 else 'BROKEN'}"
            )
            if done.returncode != 0:
                broken += 1
                print(done.stderr[-4000:])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
