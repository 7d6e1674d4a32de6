"""What an event with its origin costs. The act is in a library that is called through others,
installed like pip does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measures import Bench, Figure, interleaved, printed

#: The number of distributions, and of files in each: about as many as a function with boto3 has.
_DISTRIBUTIONS, _FILES = 30, 200
_DEPTH = 12
_ACT = """
def act(path, depth=0):
    if depth: return act(path, depth - 1)
    try: open(path)
    except OSError: pass
"""
_EVENTS = """
import sys, time
sys.path.insert(0, {site!r})
import package0
clock, times = time.perf_counter_ns, []
for number in range(300):
    path = f"/tmp/function-shield-bench-{{number}}"
    begin = clock()
    package0.act(path, {depth})
    times.append(clock() - begin)
print((times[0] if {first} else sorted(times)[150]) / 1000)
"""


def _install(site: Path) -> None:
    for number in range(_DISTRIBUTIONS):
        name = f"package{number}"
        (site / name).mkdir(parents=True, exist_ok=True)
        (site / name / "__init__.py").write_text(_ACT)
        info = site / f"distribution{number}-1.{number}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: distribution{number}\nVersion: 1.{number}\n\n"
        )
        files = ["__init__.py", *(f"part/module{file}.py" for file in range(_FILES))]
        (info / "RECORD").write_text(
            "".join(f"{name}/{file},sha256={'x' * 43},1000\n" for file in files)
        )


def reports(bench: Bench) -> Iterator[Figure]:
    """An act that is reported: the first of an origin, for which the guard searches the metadata,
    and later ones."""
    site = bench.scratch / "site-packages"
    _install(site)
    environment = bench.environment() | {
        "FUNCTION_SHIELD_POLICY": "monitor",
        "FUNCTION_SHIELD_EVENTS": str(bench.scratch / "events"),
    }
    for key, title in (
        ("event", "an event with its origin"),
        ("event_first", "the first event of a package"),
    ):
        code = _EVENTS.format(site=str(site), depth=_DEPTH, first=key == "event_first")
        command = [bench.python, "-c", code]
        found = interleaved(
            bench.samples(15),
            {
                "bare": partial(printed, command, environment),
                "guarded": partial(printed, [bench.launcher, *command], environment),
            },
        )
        yield Figure(key, title, "µs", found)
