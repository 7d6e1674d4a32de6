"""Sessions of botocore: with the caller's own credentials, or with a role's, which are fetched when
needed and renewed before they expire.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
from botocore.credentials import DeferredRefreshableCredentials

#: The session name, which the other account's CloudTrail shows with each call.
SESSION_NAME = "fshield"
_making = threading.Lock()


def session_of(
    profile: str | None, region: str | None, role: str | None, endpoint_url: str | None
) -> Any:
    """A session. Those of one role share its credentials.

    Args:
        role: the ARN of a role to assume, or None.
        endpoint_url: of STS.
    """
    session: Any = botocore.session.Session(profile=profile)
    if region:
        session.set_config_variable("region", region)
    # Share the loader, so that service descriptions are read once, not for every region of every
    # account.
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    if role:
        with _making:
            # There is no public API to give a session renewable credentials.
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
