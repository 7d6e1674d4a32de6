"""The demonstration: runs one function without the guard and with it, and shows what its hostile
dependency achieved.

``python -m fshield.local.demo [--layer DIR] [--json]``. Exits with 0 only if every line of the
table is true: unguarded, each act had its effect; guarded, it had none, and its event named the
caller; the honest work had the same result. Effects are checked where they happen (on the outside
server, on disk), not in events.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from fshield import aws_library, output
from fshield.cli import options
from fshield.evidence.events import harmless, origin_text
from fshield.local.emulator import Function, Invocation
from fshield.local.outside import Outside
from fshield.local.progress import waiting_for
from fshield.local.storage import Storage


def _example() -> Path:
    """The thumbnailer's folder, in the wheel or the checkout."""
    package = Path(__file__).resolve().parents[1]
    carried = package / "_examples" / "thumbnailer"
    return carried if carried.is_dir() else package.parent / "examples" / "thumbnailer"


EXAMPLE = _example()
POLICY = "default"
OUTSIDE = ("127.66.66.66", 48666)
STASH = Path("/tmp/.tintbox-state")
MARK = Path("/var/tmp/.tintbox-host")
_KEY, _SMALL = "sunset.png", "thumbnails/sunset.png"
_BUCKET = "pictures"


@dataclass(frozen=True)
class Seen:
    """What was observed after a run: what arrived outside, what is on disk, what the function
    made.
    """

    arrived: dict[str, bytes]
    stash: bool
    mark: bool
    invocation: Invocation
    thumbnail: bytes | None


@dataclass(frozen=True)
class Act:
    """One thing that the dependency does.

    Args:
        what: in words.
        success: what its success looks like in words.
        rule: the rule that it breaks.
        function: the dependency's function that does it, to tell two acts under one rule apart.
        happened: whether it had its effect, given the world and this run's secret.
    """

    what: str
    success: str
    rule: str
    function: str
    happened: Callable[[Seen, str], bool]


ACTS = (
    Act(
        "on import: posts the environment to 127.66.66.66",
        "arrived, keys and all",
        "outbound_connectivity",
        "_send_environment",
        lambda seen, secret: secret.encode() in seen.arrived.get("/environment", b""),
    ),
    Act(
        "on import: reads the handler's source, and posts it",
        "arrived, all of app.py",
        "read_handler",
        "_send_source",
        lambda seen, _: seen.arrived.get("/source") == (EXAMPLE / "app.py").read_bytes(),
    ),
    Act(
        "on import: starts a process",
        "it ran",
        "create_child_process",
        "_start_process",
        lambda seen, _: seen.mark,
    ),
    Act(
        "on call: keeps data in /tmp",
        "the file is there",
        "read_write_tmp",
        "_keep",
        lambda seen, _: seen.stash,
    ),
    Act(
        "on call: posts what it saw",
        "arrived",
        "outbound_connectivity",
        "_send_tint",
        lambda seen, _: bool(seen.arrived.get("/seen")),
    ),
)


def picture() -> bytes:
    """A picture to work on: a sky of 64 by 48 pixels, as PNG, by the example's own code."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        # The example's module, not a library.
        import png  # type: ignore[import-not-found]  # noqa: PLC0415
    finally:
        sys.path.remove(str(EXAMPLE))
    rows = [
        bytes(value for x in range(64) for value in (250 - y * 3, 120 + y, 60 + x * 2))
        for y in range(48)
    ]
    return bytes(png.encode(png.Picture(64, 48, rows)))


@contextlib.contextmanager
def storage() -> Iterator[Storage]:
    """An S3 on loopback with a picture in it."""
    with Storage() as started:
        started.put(_BUCKET, _KEY, picture())
        yield started


def clean() -> None:
    """Remove what the dependency leaves behind."""
    for path in (STASH, MARK):
        path.unlink(missing_ok=True)


def run_once(function: Function, outside: Outside, store: Storage) -> Seen:
    """Invoke once, and observe the effects."""
    clean()
    outside.take()
    store.delete(_BUCKET, _SMALL)
    with function:
        invocation = function.invoke(json.loads((EXAMPLE / "event.json").read_text("utf-8")))
    if function.rest:
        invocation.events.extend(function.rest.events)
    thumbnail = store.get(_BUCKET, _SMALL)
    try:
        return Seen(outside.take(), STASH.exists(), MARK.exists(), invocation, thumbnail)
    finally:
        clean()


@dataclass(frozen=True)
class Row:
    """A line of the table, and whether it is true."""

    what: str
    before: str
    now: str
    asked_by: str
    true: bool


def compare(bare: Seen, guarded: Seen, secret: str) -> list[Row]:
    """The table's lines: each act, then the honest work."""
    rows = []
    for act in ACTS:
        before, now = act.happened(bare, secret), act.happened(guarded, secret)
        event = next((each for each in guarded.invocation.events if _is_event_of(each, act)), None)
        asked = origin_text(event, str(EXAMPLE)) if event else ""
        true = before and not now and bool(asked)
        what_now = (
            act.success
            if now
            else f"blocked by {act.rule}"
            if event
            else "did not happen, and no event says why"
        )
        rows.append(
            Row(act.what, act.success if before else "did not happen", what_now, asked, true)
        )
    same = (
        bare.invocation.response is not None
        and bare.invocation.response == guarded.invocation.response
    )
    pictures = bare.thumbnail is not None and bare.thumbnail == guarded.thumbnail
    rows.append(
        Row(
            "honest work: the thumbnail is in S3",
            _work(bare),
            "same response, same picture" if same and pictures else _work(guarded),
            "",
            same and pictures,
        )
    )
    return rows


def _is_event_of(event: dict[str, Any], act: Act) -> bool:
    origin = event.get("origin") or {}
    return (
        event["event"] == "violation"
        and event.get("policy") == act.rule
        and event.get("mode") == "block"
        and "tintbox" in origin.get("file", "")
        and _asked_from(origin, act.function)
    )


def _asked_from(origin: dict[str, Any], function: str) -> bool:
    """Whether the act's function in the dependency is the caller, or on the caller's stack."""
    return origin["function"].endswith(function) or any(
        function in frame for frame in origin["stack"]
    )


def _work(seen: Seen) -> str:
    if seen.invocation.error:
        return (
            f"failed: {seen.invocation.error.get('errorType')}:"
            f" {seen.invocation.error.get('errorMessage')}"
        )
    return "done" if seen.thumbnail else "returned, but made no picture"


def _print_table(rows: list[Row]) -> None:
    title = "What tintbox, a dependency of the thumbnailer, does"
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.HORIZONTALS,
        show_lines=True,
        pad_edge=False,
        expand=True,
    )
    for heading, share in (("act", 19), ("unguarded", 11), ("guarded", 23), ("caller", 23)):
        table.add_column(heading, overflow="fold", ratio=share, min_width=len(heading))
    for row in rows:
        now = Text(harmless(row.now), "green" if row.true else "bold red")
        table.add_row(Text(row.what), Text(row.before), now, Text(row.asked_by))
    output.console().print(table)


def sentence(rows: list[Row]) -> str:
    """The result in one sentence, without times: `make bench` measures those."""
    *acts, work = rows
    stopped = sum(row.true for row in acts)
    same = work.now if work.true else f"the honest work is not the same: {work.now}"
    return f"{stopped} of {len(acts)} acts stopped and named; {same}"


class _Steps:
    """Prints a line on stderr for each step, with the time that it took. Nothing with --json."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        with waiting_for(what):
            yield
        if not self._quiet:
            print(f"{time.monotonic() - begin:6.1f} s  {what}", file=sys.stderr, flush=True)


def main(
    layer: options.Layer = None,
    as_json: options.Json = False,
) -> None:
    """Run the thumbnailer without the guard and with it, and show what its dependency got."""
    # A run's own secret: what arrived outside can only have come from this run.
    secret = secrets.token_hex(16)
    with output.reporting(as_json):
        aws_library.require("the demo's function")
        variables = {"AWS_SESSION_TOKEN": secret}
        steps = _Steps(as_json)
        # Do this before anything runs: it fails with a reason if the demo cannot work here.
        with steps.step("Lambda's emulator and runtime client: 9 MB from PyPI the first time"):
            guarded_function = Function(
                EXAMPLE, "app.handler", layer=layer, policy=POLICY, env=variables
            )
            bare_function = Function(EXAMPLE, "app.handler", guarded=False, env=variables)
            guarded_function.prepare()
        with ExitStack() as stack:
            stack.callback(clean)
            outside = stack.enter_context(Outside(*OUTSIDE))
            store = stack.enter_context(storage())
            seen = []
            for function, how in (
                (bare_function, "without the guard"),
                (guarded_function, f"with the guard, policy {POLICY}"),
            ):
                function.environment["AWS_ENDPOINT_URL"] = store.address
                with steps.step(f"the thumbnailer {how}"):
                    seen.append(run_once(function, outside, store))
        bare, guarded = seen
        rows = compare(bare, guarded, secret)
        true = all(row.true for row in rows)
        if as_json:
            output.print_json(
                {"ok": true, "rows": [vars(row) for row in rows],
                 "events": guarded.invocation.events}
            )  # fmt: skip
        else:
            _print_table(rows)
            output.console().print(sentence(rows), soft_wrap=True)
        if not true:
            raise typer.Exit(output.FINDINGS)


if __name__ == "__main__":
    typer.run(main)
