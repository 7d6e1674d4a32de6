"""The places of a command: one or several regions of one or several accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fshield.errors import CouldNotRun, shown
from fshield.fleet.api.arn import parts_of_function
from fshield.fleet.api.client import speaking
from fshield.fleet.api.patience import Patience
from fshield.fleet.iam import partition
from fshield.fleet.request import Account, Asked
from fshield.language.aws import region_asked

REGION_FIELD, ACCOUNT_FIELD = "{region}", "{account}"
_ACCOUNT = re.compile(r"\d{12}\Z")
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-\d\Z")
_ROLE = re.compile(r"[\w+=,.@/-]{1,512}\Z", re.ASCII)
_ARN_PLACE = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[^:]*):(?P<account>[^:]*):")


@dataclass(frozen=True)
class Place:
    """One region of one account.

    Args:
        account: how it is reached.
        region: its name.
        number: the account's number; "" if it is the caller's own account.
    """

    account: Account
    region: str
    number: str = ""

    @property
    def label(self) -> str:
        """Its name, as a prefix of functions' names."""
        return f"{self.number} {self.region}".strip()

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"account": self.number or None, "region": self.region}

    def arns(self, arns: Sequence[str]) -> list[str]:
        """The layer versions that functions here can use: those of this region; if some are of this
        account, only these.

        ``{region}`` and ``{account}`` in an ARN stand for this place's.

        Raises:
            CouldNotRun: ``{account}``, and the number is not known.
        """
        found: list[tuple[str, str]] = []
        elsewhere = []
        for arn in arns:
            if ACCOUNT_FIELD in arn and not self.number:
                raise CouldNotRun(
                    f"{arn}: the account is not known", "give --role-name and --account"
                )
            here = arn.replace(REGION_FIELD, self.region).replace(ACCOUNT_FIELD, self.number)
            place = _ARN_PLACE.match(here)
            # Text that is not an ARN is reported when it is looked up.
            if place is None or place["region"] == self.region:
                found.append((place["account"] if place else "", here))
            else:
                elsewhere.append(here)
        own = [arn for number, arn in found if number and number == self.number]
        # When the others are looked up, it is reported that they are in another region.
        return own or [arn for _, arn in found] or elsewhere

    def names(self, names: Sequence[str]) -> list[str]:
        """Those of the named functions that may be here. An ARN names its place, a plain name does
        not.
        """
        return [
            name
            for name in names
            if (parts := parts_of_function(name)) is None
            or (parts[0] in (None, self.region) and parts[1] in (None, self.number or parts[1]))
        ]


def several(places: Sequence[Place]) -> bool:
    """Whether a function's name alone is ambiguous."""
    return len(places) > 1


def spoken(places: Sequence[Place]) -> str:
    """The places in a few words."""
    if not several(places):
        return places[0].label
    regions = {place.region for place in places}
    accounts = {place.number for place in places if place.number}
    where = ", ".join(sorted(regions)) if len(regions) <= 3 else f"{len(regions)} regions"
    return f"{where} of {len(accounts)} accounts" if len(accounts) > 1 else where


def places(asked: Asked) -> list[Place]:
    """The requested places, without duplicates.

    Raises:
        CouldNotRun: the options contradict each other, or the organization cannot be read.
    """
    regions = list(dict.fromkeys(_split(asked.regions)))
    for region in regions:
        if not _REGION.match(region):
            raise CouldNotRun(f"--region {shown(region)} is not a region", "like eu-central-1")
    if not asked.role_name:
        if asked.accounts or asked.organization:
            raise CouldNotRun(
                "--account and --organization need a role",
                "--role-name NAME, of a role that each of the accounts has",
            )
        return [_place(asked, region, None, "") for region in regions or (None,)]
    if not _ROLE.match(asked.role_name) or asked.role_name.startswith("/"):
        raise CouldNotRun(
            f"--role-name {shown(asked.role_name)} is not a role name",
            "a name, with its path before it",
        )
    numbers = _accounts(asked, regions)
    return [
        _place(asked, region, asked.role_name, number)
        for number in numbers
        for region in regions or (None,)
    ]


def _place(asked: Asked, region: str | None, role_name: str | None, number: str) -> Place:
    role = None
    if role_name:
        known = partition(region or region_asked(None))
        role = f"arn:{'aws' if known == '*' else known}:iam::{number}:role/{role_name}"
    account = Account(region, asked.profile, asked.endpoint_url, asked.connections, role)
    with speaking():
        return Place(account, account.function_client().meta.region_name, number)


def _accounts(asked: Asked, regions: Sequence[str]) -> list[str]:
    numbers = list(dict.fromkeys(_split(asked.accounts)))
    if bool(numbers) == asked.organization:
        raise CouldNotRun("--role-name needs accounts", "--account ID,ID… or --organization")
    for number in numbers:
        if not _ACCOUNT.match(number):
            raise CouldNotRun(
                f"--account {shown(number)} is not an account number", "twelve digits"
            )
    if numbers:
        return numbers
    with speaking():
        own = Account(regions[0] if regions else None, asked.profile, asked.endpoint_url)
        client = own.organizations_client()
        patience = Patience()
        page: Any = patience.call(client.list_accounts)
        found = list(page["Accounts"])
        while page.get("NextToken"):
            page = patience.call(partial(client.list_accounts, NextToken=page["NextToken"]))
            found += page["Accounts"]
    active = sorted(each["Id"] for each in found if _state(each) == "ACTIVE")
    if not active:
        raise CouldNotRun("the organization has no active account", "--account ID")
    return active


def _state(account: Mapping[str, Any]) -> str:
    # The key was Status until 2026.
    return str(account.get("State") or account.get("Status") or "ACTIVE")


def _split(words: Sequence[str]) -> list[str]:
    return [part.strip() for word in words for part in word.split(",") if part.strip()]
