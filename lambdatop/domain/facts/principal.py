"""Parse who acts in AWS from an ARN. Pure."""

from __future__ import annotations

from msgspec import Struct


def principal_of(arn: str) -> str:
    """Return the ARN of a principal, without the session name of an assumed role.

    A role's session is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. Whoever assumes the role chooses the
    last part, and credential helpers choose another one with each renewal; permissions belong to the role.
    Every other ARN (user, root, federated user) is returned as it is.
    """
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return arn.rpartition("/")[0]
    return arn


def same_principal(one: str, other: str) -> bool:
    """Return whether two ARNs name one principal; False where one is not known."""
    return bool(one) and principal_of(one) == principal_of(other)


SHOWN_AFTER_S = 300.0
"""CloudTrail delivers within about 5 minutes on average, and promises no time."""


class TrailEvent(Struct, frozen=True):
    """One change at `at` (s since the epoch); all text is clean.

    `name` is the operation without the date that CloudTrail appends to some; `who` is the last part of the
    caller's ARN (the session of an assumed role), or whatever else names the caller. `error` is AWS's code
    and message when the call was refused, "" when it went through.
    """

    at: float
    name: str
    who: str
    source_ip: str = ""
    error: str = ""
    event_id: str = ""
