"""Selects a command's functions: by name, by tag, or all of the region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from fshield.errors import CouldNotRun
from fshield.fleet.api.arn import function_name
from fshield.fleet.api.client import speaking
from fshield.fleet.api.configuration import Function, function_of
from fshield.fleet.api.patience import Patience
from fshield.fleet.api.runtimes import is_untried
from fshield.fleet.places import Place
from fshield.fleet.request import Account, Selection


@dataclass(frozen=True)
class Selected:
    """The functions that a command is about.

    Args:
        names: each once, in the order given or by name.
        functions: configurations that are known already, by name.
        untried: for each runtime without tests of the guard, how many functions were left out.
    """

    names: list[str]
    functions: Mapping[str, Function] = field(default_factory=dict, repr=False)
    untried: Mapping[str, int] = field(default_factory=dict)


def untried_in_words(untried: Mapping[str, int]) -> str:
    """What was left out, in words; "" if nothing was."""
    if not untried:
        return ""
    each = ", ".join(f"{runtime} {count}" for runtime, count in sorted(untried.items()))
    return (
        f"{sum(untried.values())} left out, on untried runtimes ({each}): --include-untried takes"
        " them"
    )


class NoFunction(CouldNotRun):
    """This region and account has no such function: not an error if there are several places."""


def chosen(place: Place, selection: Selection, patience: Patience) -> Selected:
    """The functions, and what ``--all`` left out.

    Raises:
        NoFunction: there are no such functions.
        CouldNotRun: they cannot be listed.
    """
    region = place.region
    if not selection.everything:
        return Selected(selected(place, selection, patience))
    with speaking():
        every = [function_of(answer) for answer in every_function(place.account, patience)]
    if not every:
        raise NoFunction(f"no function at all in {region}", "look at --region and --profile")
    narrowed = [function for function in every if _is_asked(function, selection)]
    if not narrowed:
        raise NoFunction(
            f"none of {len(every)} functions in {region} is asked for"
            + (", or none of those is guarded" if selection.guarded else ""),
            "look at --name, --exclude and --runtime",
        )
    untried: Counter[str] = Counter()
    taken = {}
    for function in narrowed:
        # A guarded function was chosen before, so it gets new engines and policies on any runtime.
        leave_out = not selection.untried and not function.guarded
        if leave_out and is_untried(function.package_type, function.runtime):
            untried[function.runtime or "-"] += 1
        else:
            taken[function.name] = function
    found = Selected(sorted(taken), taken, untried)
    if not taken:
        raise NoFunction(untried_in_words(untried), "read docs/runtimes.md first")
    return found


def _is_asked(function: Function, selection: Selection) -> bool:
    def fits(text: str, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(text, pattern) for pattern in patterns)

    return (
        (not selection.patterns or fits(function.name, selection.patterns))
        and (not selection.runtimes or fits(function.runtime or "", selection.runtimes))
        and not fits(function.name, selection.exclude)
        and (function.guarded or not selection.guarded)
    )


def selected(place: Place, selection: Selection, patience: Patience) -> list[str]:
    """The names of the functions, each once, in the order given or by name. Raises as `chosen`."""
    region = place.region
    if selection.names:
        return list(dict.fromkeys(function_name(name, region) for name in selection.names))
    with speaking():
        if selection.tags:
            found = _by_tag(place.account, region, selection.tags, patience)
        else:
            found = [answer["FunctionName"] for answer in every_function(place.account, patience)]
    if not found:
        what = "with the tag " + " and ".join(selection.tags) if selection.tags else "at all"
        raise NoFunction(f"no function {what} in {region}", "look at --region and --profile")
    return sorted(set(found))


def every_function(account: Account, patience: Patience) -> Iterator[Mapping[str, Any]]:
    """Each function of the region, from ListFunctions, which leaves out State and
    LastUpdateStatus.
    """
    client = account.function_client()
    page = patience.call(client.list_functions)
    yield from page["Functions"]
    while page.get("NextMarker"):
        page = patience.call(partial(client.list_functions, Marker=page["NextMarker"]))
        yield from page["Functions"]


def _by_tag(account: Account, region: str, tags: Sequence[str], patience: Patience) -> list[str]:
    filters = []
    for tag in tags:
        key, separator, value = tag.partition("=")
        if not key:
            raise CouldNotRun(f"--tag {tag}: no tag", "--tag K=V, or --tag K for any value")
        filters.append({"Key": key, **({"Values": [value]} if separator else {})})
    client = account.tag_client()
    names: list[str] = []
    token = ""
    while True:
        page = patience.call(
            partial(
                client.get_resources,
                TagFilters=filters,
                ResourceTypeFilters=["lambda:function"],
                PaginationToken=token,
                ResourcesPerPage=100,
            )
        )
        names += [
            function_name(found["ResourceARN"], region) for found in page["ResourceTagMappingList"]
        ]
        token = page.get("PaginationToken") or ""
        if not token:
            return names
