"""Nothing comes through while another thread rewrites a door's argument. `make races` runs
longer."""

from __future__ import annotations

from tests import support
from tests.races.races import Outcome, races, run_all, uncopying_layer

# A third of a second for each case. Without copies, a third of the cases come through in that time,
# on a busy machine.
MILLISECONDS = 300
# Races that only the copy prevents, and that the rewriting thread is most likely to win.
SAMPLE = (
    "posix_spawn",
    "open",
    "creat",
    "freopen",
    "catopen",
    "readlink",
    "ftw",
    "fts_open",
    "__nss_files_fopen",
    "openat",
)
# Arguments that a door's own C code copies: one for each way of copying.
BY_HAND = {
    *("getaddrinfo", "gethostbyaddr", "res_query", "res_send", "write", "sendmsg"),
    *("recvmsg", "setsockopt", "wordexp", "dlopen", "dlsym"),
}


def came_through(outcomes: list[Outcome]) -> list[str]:
    return [f"{outcome.race.name}: {outcome.through}" for outcome in outcomes if outcome.through]


def test_each_call_comes_through_bare() -> None:
    """Without the guard, each call does harm. Otherwise its race would prove nothing."""
    outcomes = run_all(races(), None, 0)
    held = [
        one.race.name
        for one in outcomes
        if not (one.through or one.absent or one.race.case.there == "blind")
    ]
    assert held == []


def test_nothing_comes_through() -> None:
    assert came_through(run_all(races(), support.LAYER, MILLISECONDS)) == []


def test_it_does_without_copies() -> None:
    chosen = [race for race in races() if race.symbol in SAMPLE]
    assert len(came_through(run_all(chosen, uncopying_layer(), 3 * MILLISECONDS))) >= 3


def test_it_does_without_copies_by_hand() -> None:
    held = BY_HAND
    for times in (5, 50, 100):
        chosen = [race for race in races() if race.symbol in held]
        outcomes = run_all(chosen, uncopying_layer(), times * MILLISECONDS)
        held = held - {one.race.symbol for one in outcomes if one.through or one.absent}
    assert held == set()
