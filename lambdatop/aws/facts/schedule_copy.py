"""Copy a schedule for UpdateSchedule, which replaces all of it, and find what a copy would lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from lambdatop.aws.facts.resources import seconds
from lambdatop.domain.mitigations.schedules import READ_ONLY_MEMBERS
from lambdatop.domain.sanitize import clean_name

AS_SENT = "AsSent"
"""Where `response_hooks.py` stores the JSON of GetSchedule's answer, with what the SDK's model lacks."""


def copied(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of GetSchedule's answer that UpdateSchedule takes, unchanged; AWS's own left out."""
    own = {*READ_ONLY_MEMBERS, AS_SENT, "ResponseMetadata"}
    return {name: value for name, value in answer.items() if name not in own}


def lost_members(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the members of GetSchedule's answer that a copy of it would not hold as AWS sent them.

    The SDK drops what its model does not know, and reads times; so the copy is compared with the answer's
    own JSON. Without that nothing is known to be copied.
    """
    sent = answer.get(AS_SENT)
    if not isinstance(sent, dict):
        return ("its members (the answer could not be compared)",)
    told = {name: value for name, value in sent.items() if name not in READ_ONLY_MEMBERS}
    return tuple(clean_name(path) for path in _differing(told, copied(answer), ""))


def _differing(sent: Any, copy: Any, path: str) -> Iterator[str]:
    """Yield the paths of the members in which a copy differs from what AWS sent; null is no member."""
    if isinstance(sent, dict) and isinstance(copy, dict):
        for name in {**sent, **copy}:
            if sent.get(name) is not None or copy.get(name) is not None:
                yield from _differing(sent.get(name), copy.get(name), f"{path}.{name}" if path else name)
    elif isinstance(sent, list) and isinstance(copy, list) and len(sent) == len(copy):
        for number, (one, other) in enumerate(zip(sent, copy, strict=True)):
            yield from _differing(one, other, f"{path}[{number}]")
    elif isinstance(copy, datetime):
        # Requests hold whole seconds: a part of one would be lost.
        if seconds(sent) != copy.timestamp() or copy.microsecond:
            yield path
    elif type(sent) is not type(copy) or sent != copy:
        yield path
