"""Describe who changed something: one management event of CloudTrail, minutes after the change."""

from __future__ import annotations

from msgspec import Struct

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
    identity_arn: str = ""
    source_ip: str = ""
    error: str = ""
    event_id: str = ""
