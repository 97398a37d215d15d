"""Read schedules of EventBridge Scheduler before a change, and find those that invoke a function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lambdatop.aws.facts.resources import arn_text, json_object, seconds
from lambdatop.aws.facts.schedule_copy import lost_members
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.arns import names_function
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.mitigations.schedules import FIELD, MODIFIED
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import ScheduleSituation
from lambdatop.domain.sanitize import clean_line, clean_name

DEFAULT_GROUP = "default"
MOST_PAGES = 100
"""Pages of 100 schedules that are searched: a region may have a million of them."""
MOST_INPUTS = 50
"""Schedules with a universal target whose input is read for the function's name, a call each."""
UNIVERSAL = ":aws-sdk:lambda:invoke"
"""How the target's ARN of a schedule ends that calls Invoke itself: the function stands in its input (Amazon
EventBridge Scheduler user guide, "Using universal targets")."""
_NAME = re.compile(r"^[0-9a-zA-Z_.-]{1,64}$")


def split_schedule(key: Key) -> tuple[str, str]:
    """Return group and name of a schedule's key."""
    group, _, name = key.id.rpartition("/")
    return group or DEFAULT_GROUP, name


class Schedules:
    """Reads schedules of one scope; every method raises SourceError kinds."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def find(self, name: str) -> list[Key]:
        """Find the schedule `group/name`, or the one of this name in the default group."""
        group, _, own = name.rpartition("/")
        group = group or DEFAULT_GROUP
        if not _NAME.match(own) or not _NAME.match(group):
            return []
        await self._get(group, own)
        return [Key(self._scope, "schedule", f"{group}/{own}")]

    async def names(self) -> set[str]:
        """Return the names of all schedules, `group/name`."""
        found, _ = await self._listed()
        return {_id(one) for one in found}

    async def situation(self, key: Key) -> ScheduleSituation:
        """Read a schedule; what it sends is not kept."""
        group, name = split_schedule(key)
        at = self._api.now()
        answer = await self._get(group, name)
        target = answer.get("Target") or {}
        return ScheduleSituation(
            ref=Ref(key, arn_text(answer.get("Arn")), key.id.removeprefix(f"{DEFAULT_GROUP}/")),
            at=at,
            group=group,
            name=name,
            state=clean_name(str(answer.get("State") or "")),
            expression=clean_line(str(answer.get("ScheduleExpression") or ""), 256),
            timezone=clean_name(str(answer.get("ScheduleExpressionTimezone") or "")),
            target=arn_text(target.get("Arn")),
            role=arn_text(target.get("RoleArn")),
            start=seconds(answer.get("StartDate")),
            end=seconds(answer.get("EndDate")),
            ends_then=answer.get("ActionAfterCompletion") == "DELETE",
            not_copied=lost_members(answer),
        )

    async def state(self, key: Key, fields: object = ()) -> dict[str, Any]:
        """Read the control fields of a schedule."""
        answer = await self._get(*split_schedule(key))
        state = clean_name(str(answer.get("State") or ""))
        return {FIELD: state, MODIFIED: seconds(answer.get("LastModificationDate"))}

    async def sending_to(self, function: str) -> list[Key]:
        """Find the schedules that invoke a function (its ARN), an alias or a version of it.

        Raises:
            SourceError: none was found, and not all of them were looked at.
        """
        listed, unread = await self._listed()
        keys: list[Key] = []
        universal: list[Mapping[str, Any]] = []
        for one in listed:
            target = str((one.get("Target") or {}).get("Arn") or "")
            if names_function(target, function):
                keys.append(Key(self._scope, "schedule", _id(one)))
            elif target.lower().endswith(UNIVERSAL):
                universal.append(one)
        for one in universal[:MOST_INPUTS]:
            key = Key(self._scope, "schedule", _id(one))
            answer = await self._get(*split_schedule(key))
            # Only the function's name is read of an input, and nothing of it is kept.
            name = json_object((answer.get("Target") or {}).get("Input")).get("FunctionName")
            if isinstance(name, str) and names_function(name, function):
                keys.append(key)
        if not keys and (unread or len(universal) > MOST_INPUTS):
            what = unread or f"the inputs of {MOST_INPUTS} schedules that call Invoke themselves were read"
            raise SourceError(f"Of the schedules {what}; there are more. Name the schedule: GROUP/NAME.")
        return list(dict.fromkeys(keys))

    async def _listed(self) -> tuple[list[Mapping[str, Any]], str]:
        """Return the schedules that are listed, and words where there are more than are read."""
        found: list[Mapping[str, Any]] = []
        pages = 0
        async for page in self._api.pages("scheduler", "ListSchedules", token="NextToken", MaxResults=100):
            found += page.get("Schedules") or ()
            pages += 1
            if pages == MOST_PAGES and page.get("NextToken"):
                return found, f"the first {len(found):,} were looked at"
        return found, ""

    async def _get(self, group: str, name: str) -> dict[str, Any]:
        return await self._api.read("scheduler", "GetSchedule", GroupName=group, Name=name)


def _id(one: Mapping[str, Any]) -> str:
    group, name = one.get("GroupName") or DEFAULT_GROUP, one.get("Name") or ""
    return f"{clean_name(str(group))}/{clean_name(str(name))}"


def schedule_of_arn(text: str) -> str | None:
    """Return `group/name` of a schedule's ARN, None for any other."""
    arn = parse_arn(text)
    if arn is None or arn.service != "scheduler" or not arn.resource.startswith("schedule/"):
        return None
    return arn.resource.removeprefix("schedule/")
