"""What more rules cost, for a decision and for the start of a process, with 10, 100 and 1,000
rules."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measures import Bench, Figure, interleaved, printed

from fshield.engine.compiler import compile_policy
from fshield.language.loader import resolve
from fshield.language.reader import parse

_RULES = (10, 100, 1000)
# Asked in every policy. The last of the fixed entries allows it, as an endpoint in the function's
# own region.
_ALLOWED = "sqs.eu-central-1.amazonaws.com"
_REFUSED = "a.name.that.no.entry.has.example.net"


def _policy(rules: int) -> str:
    fixed = [
        "aws: [sqs]",
        "cidr: 10.0.0.0/8",
        'host: "*.example.com"',
        'host: "api.${env:STAGE}.example"',
    ]
    hosts = [
        f"host: service-{number}.team-{number % 7}.example.org"
        for number in range(rules - len(fixed))
    ]
    lines = "".join(f"      - {entry}\n" for entry in (*hosts, *fixed))
    return f"version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n{lines}"


def growth(bench: Bench) -> Iterator[Figure]:
    """`guarded` is the policy with more rules, `bare` the one with 10."""
    files: dict[int, Path] = {}
    for rules in _RULES:
        files[rules] = bench.scratch / f"rules-{rules}.policy"
        files[rules].write_bytes(
            compile_policy(resolve(parse("rules.yaml", _policy(rules).encode()), "rules"))
        )
    count = bench.samples(12)
    for what, name in (("allowed", _ALLOWED), ("refused", _REFUSED)):
        for rules in _RULES[1:]:
            found = interleaved(
                count,
                {
                    "bare": _decision(bench, files[10], name),
                    "guarded": _decision(bench, files[rules], name),
                },
            )
            title = f"decision, name {what}, {rules:,} rules over 10"
            yield Figure(f"decide_{what}_{rules}", title, "ns", found)
    starts = {"bare": _start(bench, files[10]), "guarded": _start(bench, files[1000])}
    yield Figure(
        "start_1000",
        "start of true, 1,000 rules over 10",
        "ms",
        interleaved(bench.samples(200), starts),
    )


def _decision(bench: Bench, policy: Path, name: str) -> Callable[[], float]:
    command = [str(bench.tools.decide), str(policy), name, "443", "20000"]
    return lambda: printed(command, bench.environment())


def _start(bench: Bench, policy: Path) -> Callable[[], float]:
    environment = {**bench.environment(), "FUNCTION_SHIELD_POLICY": str(policy)}
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]

    def run() -> float:
        begin = time.perf_counter()
        pid = os.posix_spawn(
            bench.launcher, [bench.launcher, "/bin/true"], environment, file_actions=null
        )
        status = os.waitpid(pid, 0)[1]
        took = time.perf_counter() - begin
        if status:
            raise RuntimeError(f"{bench.launcher}: status {os.waitstatus_to_exitcode(status)}")
        return took * 1000

    return run
