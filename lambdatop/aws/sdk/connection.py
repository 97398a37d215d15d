"""Describe a connection: account, region, endpoint, mode."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambdatop.aws.sdk.walls.sent_reads import SENT

if TYPE_CHECKING:
    from lambdatop.aws.sdk.mfa import MfaCodes

NEEDED = ("lambda", "cloudwatch", "logs", "sqs", "sts")
"""Services without which nothing can be shown; without another one only some details are missing."""

SERVICES = tuple(dict.fromkeys((*NEEDED, *(service for service, _ in SENT))))
"""Every service that this package makes clients of (botocore's names)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What to open, by the command line and the configuration.

    `isolated` is for the demo: explicit keys and a loopback endpoint, and no variable, proxy or file of the
    user has any influence. `notice` is a permanent remark in the header. `codes` are the MFA codes that were
    asked for, `notify` is called with what opening it waits for.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    read_only: bool = False
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    notice: str = ""
    isolated: bool = False
    codes: MfaCodes | None = field(default=None, repr=False, compare=False)
    notify: Callable[[str], None] = field(default=lambda sentence: None, repr=False, compare=False)


async def resolve(session: Any) -> Any:
    """Fetch credentials now: later a provider that asks or opens a browser would disturb the console."""
    from botocore.exceptions import NoCredentialsError

    from lambdatop.aws.sdk.credentials import not_fetched

    try:
        credentials = await session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        await credentials.get_frozen_credentials()
    except Exception as error:
        raise not_fetched(error) from None
    return credentials


def region_of(connection: Connection, session: Any) -> str:
    """Return the region to read; raises NoRegionError or InvalidRegionError."""
    from botocore.exceptions import NoRegionError
    from botocore.utils import validate_region_name

    region = connection.region
    if not region and not connection.isolated:
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if not region:
        raise NoRegionError
    validate_region_name(region)
    return str(region)
