"""Read by cloudtrail:LookupEvents who changed a function, a mapping, a queue or a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdatop.aws.facts.resources import json_object, seconds
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import NotAnswered
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.sanitize import clean_line, clean_name
from lambdatop.domain.units import iso

MOST = 50
PAGES = 5
"""Pages that are read at most: the events of a resource hold reads, too, most of them our own."""

_VERSION = re.compile(r"\d{8}(v\d+)?$")
_ERROR_MAX = 400


async def read_trail(api: Api, key: Key, since: float) -> tuple[TrailEvent, ...]:
    """Return changes of one resource after `since` (s since the epoch), newest first, 50 at most.

    CloudTrail is asked for one resource name at a time and gives reads and writes alike, so at most 250
    events of each name are read. Raises SourceError and its kinds, NotAnswered where all of them are reads.
    """
    found: dict[TrailEvent, None] = {}
    back_to: list[float] = []
    for name in _resources(key):
        events, oldest = await _of_name(api, name, since)
        found |= dict.fromkeys(events)
        back_to += [] if oldest is None else [oldest]
    if not found and back_to:
        raise NotAnswered(
            f"The newest {MOST * PAGES} events of {key.id} in CloudTrail are reads, back to "
            f"{iso(max(back_to)) or 'an unknown time'}: whether anybody changed it before that is not known."
        )
    return tuple(sorted(found, key=lambda e: -e.at)[:MOST])


async def _of_name(api: Api, name: str, since: float) -> tuple[list[TrailEvent], float | None]:
    """Return the changes, and the time of the oldest event read where older ones were not."""
    found: list[TrailEvent] = []
    pages, oldest = 0, float("inf")
    async for page in api.pages(
        "cloudtrail",
        "LookupEvents",
        token="NextToken",
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
        StartTime=datetime.fromtimestamp(since, UTC),
        MaxResults=MOST,
    ):
        pages += 1
        events = page.get("Events") or ()
        oldest = min((at for e in events if (at := seconds(e.get("EventTime"))) is not None), default=oldest)
        found += [_event(e) for e in events if _changes(e)]
        if len(found) >= MOST or pages == PAGES:
            return found, oldest if page.get("NextToken") else None
    return found, None


def _resources(key: Key) -> tuple[str, ...]:
    """Return the names under which CloudTrail lists events of this; an alias is listed under its function.

    A function may be called by its name or by its ARN, as in our own changes. AWS does not document under
    which of the two a call by ARN is listed: both are asked for.
    """
    if key.kind in ("function", "alias"):
        name = key.id.partition(":")[0]
        return name, function_arn(key.scope, name)
    return (key.id.rpartition("/")[2] if key.kind in ("rule", "schedule") else key.id,)


def _changes(event: Mapping[str, Any]) -> bool:
    return str(event.get("ReadOnly") or "").lower() == "false"


def _event(event: Mapping[str, Any]) -> TrailEvent:
    detail = json_object(event.get("CloudTrailEvent"))  # the outer fields say what and when without it
    identity = _part(detail, "userIdentity")
    arn = _text(identity, "arn")
    # A service that acts on its own has no ARN, and one that acts for a caller has the caller's.
    names = (
        arn.rpartition(":")[2].rpartition("/")[2],
        _text(event, "Username"),
        _text(identity, "invokedBy"),
    )
    words = ": ".join(w for w in (_text(detail, "errorCode"), _text(detail, "errorMessage")) if w)
    return TrailEvent(
        at=seconds(event.get("EventTime")) or 0.0,
        name=_VERSION.sub("", clean_name(_text(event, "EventName"))),
        who=clean_name(next((name for name in names if name), "")),
        source_ip=clean_name(_text(detail, "sourceIPAddress")),
        error=clean_line(words, _ERROR_MAX),
        event_id=clean_name(_text(event, "EventId")),
    )


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = holder.get(name)
    return part if isinstance(part, dict) else {}


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
