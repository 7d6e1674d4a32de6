"""Requests of the command line: where, which functions, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fshield.errors import CouldNotRun
from fshield.fleet.exceptions import NONE_KNOWN, Known
from fshield.language.aws import region_asked

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

# Lambda answers its control plane in well under a second.
_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 10, 30


@dataclass(frozen=True)
class Account:
    """Where a command works, from ``--region``, ``--profile`` and ``--endpoint-url``, as in the AWS
    CLI.

    Args:
        region, profile, endpoint_url: None: the default of the environment and the AWS
            configuration files. connections: how many requests at the same time.
        role: the ARN of a role to assume with these credentials; None: use them directly.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    connections: int = 4
    role: str | None = None

    def function_client(self) -> LambdaClient:
        """Lambda."""
        client: LambdaClient = self._client("lambda")
        return client

    def tag_client(self) -> Any:
        """The Resource Groups Tagging API, which finds functions by tag."""
        return self._client("resourcegroupstaggingapi")

    def logs_client(self) -> Any:
        """CloudWatch Logs."""
        return self._client("logs")

    def organizations_client(self) -> Any:
        """AWS Organizations, which lists accounts."""
        return self._client("organizations")

    def _client(self, service: str) -> Any:
        # Imported here: it takes half a second, and other commands do not need it.
        from botocore.config import Config  # noqa: PLC0415

        from fshield.fleet.api.session import session_of  # noqa: PLC0415

        # botocore must not retry: `Patience` does, so that one throttled thread slows all of them.
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=max(10, self.connections),
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            user_agent_extra="fshield",
        )
        session = session_of(self.profile, region_asked(self.region), self.role, self.endpoint_url)
        return session.create_client(service, endpoint_url=self.endpoint_url, config=config)


@dataclass(frozen=True)
class Selection:
    """The functions that the command line selects.

    Args:
        names: FUNCTION arguments.
        tags: ``K=V`` each; a function must have all of them. ``K`` alone: with any value.
        everything: ``--all``.
        patterns, exclude, runtimes: filters for ``--all``: names and runtimes, with ``*``, ``?``
            and ``[]`` as in file names. Empty: no filter.
        untried: include runtimes on which no test runs the guard.
        guarded: with ``--all``, only guarded functions.
    """

    names: Sequence[str] = ()
    tags: Sequence[str] = ()
    everything: bool = False
    patterns: Sequence[str] = ()
    exclude: Sequence[str] = ()
    runtimes: Sequence[str] = ()
    untried: bool = True
    guarded: bool = False

    def check(self, command: str) -> None:
        """Raises CouldNotRun unless exactly one of the three was used."""
        if sum((bool(self.names), bool(self.tags), self.everything)) != 1:
            raise CouldNotRun(
                "which functions?",
                f"fshield {command} FUNCTION… or fshield {command} --tag K=V or fshield {command}"
                " --all",
            )
        if (self.patterns or self.exclude or self.runtimes) and not self.everything:
            raise CouldNotRun(
                "--name, --exclude and --runtime narrow --all",
                f"fshield {command} --all --name 'team-*'",
            )


@dataclass(frozen=True)
class RunOptions:
    """How a command changes many functions.

    Args:
        yes: do not ask whether all are meant.
        dry_run: change nothing.
        concurrency: functions at the same time.
        max_failures: start no more after this many failures; None: continue.
        timeout: seconds to wait until a change is live.
        as_json: answer with one document.
        known: refusals that the exit status leaves out.
    """

    yes: bool = False
    dry_run: bool = False
    concurrency: int = 4
    max_failures: int | None = None
    timeout: float = 120
    as_json: bool = False
    known: Known = NONE_KNOWN


@dataclass(frozen=True)
class Asked:
    """The places that the command line names.

    Args:
        regions: ``--region``; empty: the default of the environment and the AWS configuration.
        profile, endpoint_url: as for the AWS CLI.
        role_name: ``--role-name``: the role to assume in each account.
        accounts: ``--account``: their numbers.
        organization: ``--organization``: every active account of it.
        connections: requests at the same time, in each place.
    """

    regions: Sequence[str] = ()
    profile: str | None = None
    endpoint_url: str | None = None
    role_name: str | None = None
    accounts: Sequence[str] = ()
    organization: bool = False
    connections: int = 4
