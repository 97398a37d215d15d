"""Switch one schedule: read it, copy every member but its state, and send it back.

UpdateSchedule replaces the whole schedule, and what a schedule sends may hold secrets: so the journal holds
the state alone, and the other members go from AWS's answer into the request without being written anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from lambdatop.aws.facts.schedule_copy import copied, lost_members
from lambdatop.domain.mitigations.schedules import CALLS, OPERATION, SERVICE
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.ports.aws import Sent

SECRET_PART = re.compile(r"[^\s\"'{}\[\],:=()<>]{4,}")
"""A part of an input that a message of AWS could quote."""
_QUOTES = "AWS's words quote what the schedule sends and are left out"


class NotCopied(Exception):
    """The schedule cannot be sent back as it is: nothing was sent."""


def is_switch(call: Call) -> bool:
    """Return whether a journaled call is the switching of a schedule."""
    return (call.service, call.operation) == (SERVICE, OPERATION)


def read_params(call: Call) -> dict[str, Any]:
    """Return the parameters of GetSchedule for a switch."""
    return {"GroupName": call.params["GroupName"], "Name": call.params["Name"]}


def update_of(call: Call, answer: Mapping[str, Any]) -> Call:
    """Return the UpdateSchedule that sets the state of `call` and leaves all else of `answer` as it is.

    Raises:
        NotCopied: a member would be lost, or the answer is of another schedule.
    """
    if answer.get("Arn") != call.params["Arn"]:
        raise NotCopied("AWS answered with another schedule than the one that was confirmed.")
    lost = lost_members(answer)
    if lost:
        raise NotCopied(f"The update would lose {', '.join(lost)} of the schedule.")
    service, operation = CALLS[0]
    # A token of its own: AWS takes two requests with the same one for the same request.
    wanted = {**copied(answer), **read_params(call), "State": call.params["State"]}
    return Call(service, operation, {**wanted, "ClientToken": str(uuid4())})


def without_input(sent: Sent, answer: Mapping[str, Any]) -> Sent:
    """Return a result whose words hold no part of what the schedule sends: they go into the journal."""
    target = answer.get("Target") or {}
    # Everything but the ARNs, which are in the plan: an input, and parameters of a task or a pipeline.
    texts = _texts({name: part for name, part in target.items() if name not in ("Arn", "RoleArn")})
    known = sent.detail.lower()
    if any(part.lower() in known for text in texts for part in SECRET_PART.findall(text)):
        code, colon, _ = sent.detail.partition(":")
        short = code if colon and " " not in code else "refused"
        return replace(sent, detail=f"{short} ({_QUOTES}).")
    return sent


def _texts(part: Any) -> list[str]:
    if isinstance(part, Mapping):
        return [text for inner in part.values() for text in _texts(inner)]
    if isinstance(part, list):
        return [text for inner in part for text in _texts(inner)]
    return [part] if isinstance(part, str) else []
