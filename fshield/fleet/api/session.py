"""Sessions of botocore: with the caller's own credentials, or with a role's that are fetched when
they are needed, and anew before they end."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
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
    session: Any = botocore.session.Session(profile=profile)
    if region:
        session.set_config_variable("region", region)
    # What describes a service is read once, and not again for every region of every account.
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    if role:
        with _making:
            # There is no public way to give a session credentials that renew themselves.
            session._credentials = _assumed(profile, region, role, endpoint_url)
    return session


@cache
def _loader(data_path: str | None) -> Any:
    return botocore.loaders.create_loader(data_path)


@cache
def _assumed(
    profile: str | None, region: str | None, role: str, endpoint_url: str | None
) -> DeferredRefreshableCredentials:
    own = session_of(profile, region, None, None)
    sts = own.create_client("sts", endpoint_url=endpoint_url)

    def fetch() -> dict[str, str]:
        found = sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }

    return DeferredRefreshableCredentials(refresh_using=fetch, method="sts-assume-role")
