"""Which functions a command is about: by name, by tag, or all of the region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fshield.errors import CouldNotRun
from fshield.fleet.arn import function_name
from fshield.fleet.aws import speaking
from fshield.fleet.patience import Patience
from fshield.fleet.request import Account, Selection


def selected(account: Account, region: str, selection: Selection, patience: Patience) -> list[str]:
    """The names of the functions, each once, in the order given or by name. Raises CouldNotRun."""
    if selection.names:
        return list(dict.fromkeys(function_name(name, region) for name in selection.names))
    with speaking():
        if selection.tags:
            found = _by_tag(account, region, selection.tags, patience)
        else:
            found = [answer["FunctionName"] for answer in every_function(account, patience)]
    if not found:
        what = "with the tag " + " and ".join(selection.tags) if selection.tags else "at all"
        raise CouldNotRun(f"no function {what} in {region}", "look at --region and --profile")
    return sorted(set(found))


def every_function(account: Account, patience: Patience) -> Iterator[Mapping[str, Any]]:
    """What ListFunctions says of each function of the region. It leaves out State and LastUpdateStatus."""
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
        names += [function_name(found["ResourceARN"], region) for found in page["ResourceTagMappingList"]]
        token = page.get("PaginationToken") or ""
        if not token:
            return names
