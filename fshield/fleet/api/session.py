"""Sessions of boto3: with the caller's own credentials, or with a role's that are fetched when they
are needed, and anew before they end."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.credentials import DeferredRefreshableCredentials

#: CloudTrail of the other account has it beside each call.
SESSION_NAME = "fshield"
_making = threading.Lock()


def session_of(
    profile: str | None, region: str | None, role: str | None, endpoint_url: str | None
) -> Any:
    """A session. Those of one role share its credentials.

    Args:
        role: the ARN of a role that is assumed; None: none is.
        endpoint_url: of STS.
    """
    if role is None:
        return Session(profile_name=profile, region_name=region)
    inner: Any = botocore.session.Session(profile=profile)
    with _making:
        # There is no public way to give a session credentials that renew themselves.
        inner._credentials = _assumed(profile, region, role, endpoint_url)
    return Session(botocore_session=inner, region_name=region)


@cache
def _assumed(
    profile: str | None, region: str | None, role: str, endpoint_url: str | None
) -> DeferredRefreshableCredentials:
    own: Any = Session(profile_name=profile, region_name=region)
    sts = own.client("sts", endpoint_url=endpoint_url)

    def fetch() -> dict[str, str]:
        found = sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }

    return DeferredRefreshableCredentials(refresh_using=fetch, method="sts-assume-role")
