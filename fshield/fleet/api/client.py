"""Errors of calls to AWS before any answer about a function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from fshield.errors import CouldNotRun
from fshield.fleet.fixes import KEYS, explained

_SIGN_IN = (
    "aws sso login, aws configure, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `--profile`"
    " names another profile"
)


@contextmanager
def speaking() -> Iterator[None]:
    """Turn boto3's errors into CouldNotRun with a fix, for calls that the command cannot do
    without.
    """
    try:
        yield
    except (BotoCoreError, ClientError, ValueError) as error:
        raise could_not(error) from error


def could_not(error: Exception) -> CouldNotRun:
    """The message for an `error` that ends the command."""
    if isinstance(error, NoRegionError):
        return CouldNotRun(
            "no region", "--region REGION, or AWS_REGION, or a region in the profile"
        )
    if isinstance(error, ProfileNotFound):
        return CouldNotRun(f"{error}", "aws configure list-profiles shows them")
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return CouldNotRun("no AWS credentials", _SIGN_IN)
    if isinstance(
        error, (CredentialRetrievalError, TokenRetrievalError, UnauthorizedSSOTokenError)
    ):
        return CouldNotRun(f"the AWS credentials cannot be had: {error}", _SIGN_IN)
    if isinstance(error, (EndpointConnectionError, BotoConnectionError, HTTPClientError)):
        return CouldNotRun(
            f"AWS cannot be reached: {error}", "look at --region, --endpoint-url and the network"
        )
    if isinstance(error, ClientError):
        reason, fix = explained(error)
        return CouldNotRun(reason, fix)
    return CouldNotRun(str(error), None)


def fatal(error: Exception) -> bool:
    """Whether every further call would fail as well: there are no keys, or AWS does not accept
    them.
    """
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") in KEYS
    return isinstance(
        error,
        (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError,
         UnauthorizedSSOTokenError),
    )  # fmt: skip
