"""Checks a function's configuration at Lambda, without which its events mean little."""

from __future__ import annotations

from functools import partial

from fshield.fleet.api.arn import function_name
from fshield.fleet.api.client import speaking
from fshield.fleet.api.configuration import MODE, Function, function_of
from fshield.fleet.api.patience import Patience
from fshield.fleet.ready_checks import Check
from fshield.fleet.request import Account


def function_at(account: Account, name: str) -> tuple[Function, str]:
    """The function's configuration at Lambda, and its region.

    Raises:
        CouldNotRun: Lambda cannot be reached, or does not have the function.
    """
    with speaking():
        client = account.function_client()
        region = client.meta.region_name
        plain = function_name(name, region)
        answer = Patience().call(partial(client.get_function_configuration, FunctionName=plain))
    return function_of(answer), region


def standing(function: Function) -> list[Check]:
    """The conditions on the configuration that make the events meaningful."""
    found = [Check("guarded", "yes" if function.guarded else "no", "yes", function.guarded)]
    level = (function.raw.get("LoggingConfig") or {}).get("ApplicationLogLevel")
    if level:
        fine = level in {"INFO", "DEBUG", "TRACE"}
        found.append(
            Check("log level lets armed events through", str(level), "INFO or lower", fine)
        )
    if function.variables.get(MODE) == "off":
        found.append(Check("mode", "off", "alert, or none", False))
    return found
