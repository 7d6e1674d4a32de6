"""Reads the status of one place's functions: their configurations, and their aliases' versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from fshield.errors import CouldNotRun
from fshield.fleet.api.arn import ARCH_FIELD, ARCHITECTURES, layer_version
from fshield.fleet.api.client import could_not, fatal, speaking
from fshield.fleet.api.configuration import Function, function_of
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.fixes import RUN_AGAIN
from fshield.fleet.request import Selection
from fshield.fleet.run import in_parallel
from fshield.fleet.select import NoFunction, every_function
from fshield.fleet.sites import Site, choose
from fshield.fleet.status import Expected, Standing, newest_engines, standing, with_aliases
from fshield.fleet.versions import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_lambda.client import LambdaClient

    from fshield.fleet.places import Place

Problem = tuple[str, CouldNotRun]


@dataclass(frozen=True)
class Wanted:
    """The request of `fshield status`.

    Args:
        arns: ``--layer-arn``: the engine that functions should have.
        policy: that they should have; None: any.
        aliases: also read the versions that aliases point to.
        concurrency: functions at the same time, in a place.
    """

    arns: Sequence[str] = ()
    policy: str | None = None
    aliases: bool = True
    concurrency: int = 4


@dataclass
class Read:
    """The result for one place: the status of its functions, and those that could not be read."""

    standings: list[Standing] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(
    site: Site,
    selection: Selection,
    wanted: Wanted,
    places: Sequence[Place],
    begins: Callable[[int], None],
    step: Callable[[], None],
) -> Read:
    """Read the status of the functions of a site, which is one of `places`.

    Args:
        begins: called with the number of calls to come.
        step: called after each call.

    Raises:
        NoFunction: there is none.
        CouldNotRun: nothing there can be read.
    """
    with speaking():
        client = site.place.account.function_client()
    done = Read()
    functions = _functions(client, site, selection, wanted, places, done, begins, step)
    expected = _expected(site.place.arns(wanted.arns), wanted.policy, functions)
    done.standings = [standing(function, expected) for function in functions]
    if wanted.aliases:
        _add_aliases(client, site, expected, wanted, done, begins, step)
    return done


def _functions(
    client: LambdaClient,
    site: Site,
    selection: Selection,
    wanted: Wanted,
    places: Sequence[Place],
    done: Read,
    begins: Callable[[int], None],
    step: Callable[[], None],
) -> list[Function]:
    if not selection.names and not selection.tags:
        # ListFunctions returns everything that is needed, 50 functions at a time.
        with speaking():
            every = every_function(site.place.account, site.patience)
            found = [function_of(answer) for answer in every]
        if not found:
            raise NoFunction(
                f"no function at all in {site.place.region}", "look at --region and --profile"
            )
        return sorted(found, key=lambda function: function.name)
    choose(site, selection, places)
    names = site.found.names

    def one(name: str) -> Function | Exception:
        try:
            return function_of(
                site.patience.call(partial(client.get_function_configuration, FunctionName=name))
            )
        except (ClientError, BotoCoreError, Stopped) as error:
            return error

    functions = {}
    begins(len(names))
    for name, answer in _each(names, one, wanted, site.patience):
        step()
        if isinstance(answer, Function):
            functions[name] = answer
        elif not isinstance(answer, Stopped):
            if fatal(answer):
                raise could_not(answer)
            done.problems.append((name, _problem(answer)))
    return [functions[name] for name in names if name in functions]


def _problem(error: Exception) -> CouldNotRun:
    """Why a function could not be read. Its fix does not mention continuing, because nothing
    would.
    """
    problem = could_not(error)
    return CouldNotRun(problem.message, (problem.fix or "").replace(RUN_AGAIN, "try again"))


def _each(
    items: Sequence[Any], ask: Callable[[Any], Any], wanted: Wanted, patience: Patience
) -> Iterable[tuple[Any, Any]]:
    return in_parallel(items, ask, wanted.concurrency, lambda: not patience.stop.is_set())


def _expected(arns: Sequence[str], policy: str | None, functions: Sequence[Function]) -> Expected:
    engines: dict[str, str] = {}
    names = set()
    for arn in arns:
        for architecture in ARCHITECTURES:
            version = layer_version(arn.replace(ARCH_FIELD, architecture))
            names.add(version.name)
            if ARCH_FIELD in arn or version.name.endswith(architecture):
                engines[architecture] = version.arn
    known = frozenset(names)
    return Expected(engines or None, policy, known, newest_engines(functions, known))


def _add_aliases(
    client: LambdaClient,
    site: Site,
    expected: Expected,
    wanted: Wanted,
    done: Read,
    begins: Callable[[int], None],
    step: Callable[[], None],
) -> None:
    """Add aliases to guarded functions' standings, and failures to the problems."""
    asked = [each.function.name for each in done.standings if each.engine]

    def one(name: str) -> dict[str, Function] | Exception:
        try:
            return aliased(client, name, site.patience)
        except (ClientError, BotoCoreError, Stopped) as error:
            return error

    found = {}
    begins(len(asked))
    for name, answer in _each(asked, one, wanted, site.patience):
        step()
        if isinstance(answer, dict):
            found[name] = answer
        elif not isinstance(answer, Stopped):
            done.problems.append((name, _problem(answer)))
    done.standings = [
        with_aliases(each, found[each.function.name], expected)
        if each.function.name in found
        else each
        for each in done.standings
    ]


def aliased(client: LambdaClient, name: str, patience: Patience) -> dict[str, Function]:
    """The version of each alias of a function, and, as ``NAME (N%)``, each version that gets a
    share.
    """
    found: dict[str, str] = {}
    page: Any = patience.call(partial(client.list_aliases, FunctionName=name))
    while True:
        for alias in page["Aliases"]:
            found[alias["Name"]] = alias["FunctionVersion"]
            for version, share in split_of(alias).items():
                found[f"{alias['Name']} ({share * 100:.3g}%)"] = version
        if not page.get("NextMarker"):
            break
        page = patience.call(
            partial(client.list_aliases, FunctionName=name, Marker=page["NextMarker"])
        )
    versions = {}
    for version in sorted(set(found.values())):
        answer = patience.call(
            partial(client.get_function_configuration, FunctionName=name, Qualifier=version)
        )
        versions[version] = function_of(answer)
    return {alias: versions[version] for alias, version in found.items()}
