"""nscd is stopped and restarted during lookups. The guard learns its answers and the name server's,
and refuses nothing, as long as the function cannot have put the new socket there."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests import support
from tests.egress import places
from tests.egress.network import Done, Network
from tests.egress.roads.table import interpreted
from tests.egress.test_roads import OWN_RUN, PLACES

#: Only nscd leads an allowed name to this address.
CACHED = places.S3
#: A user other than nscd's, who can read the interpreter.
AS_OTHER = (
    *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
)

#: Runs beside threads that look names up, until each word has led to its address.
PROGRAM = f"""
from tests.egress import caching
failed, over = [], threading.Event()
def look():
    return [one[4][0] for one in socket.getaddrinfo(API, 443, 0, socket.SOCK_STREAM)]
def work():
    while not over.wait(.002):
        try:
            look()
        except OSError as error:
            failed.append(type(error).__name__)
def tell(word):
    with socket.socket(socket.AF_UNIX) as to:
        to.settimeout(20)
        to.connect(caching.CONTROL)
        to.sendall(word)
        assert to.recv(16) == word
def until(address):
    # After a failure, libc asks nscd again with the hundredth lookup.
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if address in look():
                with socket.create_connection((address, 443), 5) as out:
                    out.sendall(GOOD)
                    return bool(out.recv(1))
        except OSError as error:
            return type(error).__name__
    return "not found"
threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
for thread in threads: thread.start()
print(until({CACHED!r}))
for _ in range(3):
    tell(b"away"); print("away", until({places.SHARED!r}))
    tell(b"there"); print("there", until({CACHED!r}))
over.set()
for thread in threads: thread.join(10)
print(sorted(set(failed)), flush=True)
"""


@pytest.fixture
def own_users() -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("a second user needs root and setpriv (util-linux)")


def look_up(network: Network, mode: str | None, threads: int, user: tuple[str, ...]) -> Done:
    allow = [{"host": places.API}]
    return network.run(
        interpreted("python", Path(sys.executable), f"THREADS = {threads}\n{PROGRAM}"),
        policy=support.rules({"mode": mode, "allow": allow}) if mode else None,
        env={
            "PYTHONPATH": str(support.ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ROAD_PLACES": " ".join(PLACES),
            "ROAD_SECONDS": "20",
        },
        stdin="",
        within=(*OWN_RUN, sys.executable, "-m", "tests.egress.caching", CACHED, *user),
    )


@pytest.mark.parametrize("threads", [0, 3])
def test_a_restart_is_not_noticed(network: Network, own_users: None, threads: int) -> None:
    bare = look_up(network, None, threads, AS_OTHER)
    lines = ["True", *["away True", "there True"] * 3, "[]"]
    assert bare.result.stdout.splitlines() == lines, bare.result
    for mode in ("block", "alert"):
        done = look_up(network, mode, threads, AS_OTHER)
        assert (done.result.returncode, done.result.stdout, done.result.violations) == (
            0,
            bare.result.stdout,
            [],
        ), (mode, done.result)


def test_a_restart_that_the_function_could_have_made(network: Network) -> None:
    """The socket belongs to the function's own user: from then on, lookups are refused and
    reported."""
    done = look_up(network, "block", 0, ())
    assert done.result.stdout.splitlines()[:2] == ["True", "away gaierror"], done.result
    assert all("look up by" in event["message"] for event in done.result.violations)
    assert done.result.violations
    dry = look_up(network, "alert", 0, ())
    assert dry.result.stdout == look_up(network, None, 0, ()).result.stdout, dry.result
    assert dry.result.violations, dry.result
