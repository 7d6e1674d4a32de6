"""The places of a command, with the functions found there, or the problem."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fshield.errors import CouldNotRun
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.places import Place, several
from fshield.fleet.request import Selection
from fshield.fleet.run import in_parallel
from fshield.fleet.select import NoFunction, Selected, chosen

#: The number of places to read at the same time.
_AT_ONCE = 16


@dataclass
class Site:
    """One place, after it was read.

    Args:
        patience: for its calls: quotas are per account and region.
        found: the command's functions there.
        problem: why nothing can be done there, or None.
    """

    place: Place
    patience: Patience
    found: Selected = field(default_factory=lambda: Selected([]))
    problem: CouldNotRun | None = None

    def problem_as_dict(self) -> dict[str, Any] | None:
        """The problem for ``--json``."""
        if self.problem is None:
            return None
        return {"message": self.problem.message, "fix": self.problem.fix}


def sites_of(
    places: Sequence[Place],
    stop: threading.Event,
    look: Callable[[Site], None],
    at_once: int = _AT_ONCE,
) -> list[Site]:
    """Call `look` for each place, several at a time, and return the sites in order.

    What `look` raises becomes the site's problem, except that there is no function, if other places
    have some.

    Raises:
        CouldNotRun: there is one place, and it has a problem; or no place has a function.
    """
    sites = [Site(place, Patience(stop=stop)) for place in places]

    def looked(site: Site) -> CouldNotRun | None:
        try:
            look(site)
        except CouldNotRun as error:
            return error
        except Stopped:
            return CouldNotRun("interrupted", "run the command again")
        return None

    none = []
    numbers = {id(site): site for site in sites}
    for key, error in in_parallel(list(numbers), lambda key: looked(numbers[key]), at_once, _yes):
        if error is None:
            continue
        if not several(places):
            raise error
        if isinstance(error, NoFunction):
            none.append(error)
        else:
            numbers[key].problem = error
    if none and len(none) == len(sites):
        raise CouldNotRun("no function that is asked for in any of them", none[0].fix)
    return sites


def choose(site: Site, selection: Selection, places: Sequence[Place]) -> None:
    """Find the site's functions, one of `places`. Raises as `chosen`."""
    if several(places) and selection.names:
        names = site.place.names(selection.names)
        if not names:
            raise NoFunction(f"no function named is in {site.place.label}", "look at the names")
        selection = replace(selection, names=names)
    site.found = chosen(site.place, selection, site.patience)


def check_names(places: Sequence[Place], names: Sequence[str]) -> None:
    """Raise CouldNotRun if a named function is in none of several places."""
    if not several(places):
        return
    for name in names:
        if not any(place.names([name]) for place in places):
            raise CouldNotRun(
                f"{name}: is in no place that this command works in", "look at --region, --account"
            )


def _yes() -> bool:
    return True
