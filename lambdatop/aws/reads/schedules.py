"""Read schedules of EventBridge Scheduler before a change, and find them by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lambdatop.aws.facts.resources import arn_text, seconds
from lambdatop.aws.facts.schedule_copy import lost_members
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.mitigations.schedules import FIELD, MODIFIED
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import ScheduleSituation
from lambdatop.domain.sanitize import clean_line, clean_name

DEFAULT_GROUP = "default"
MOST_PAGES = 100
"""Pages of 100 schedules that are searched: a region may have a million of them."""
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
        """Return the names of schedules, `group/name`, of the first pages."""
        return {_id(one) for one in await self._listed()}

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

    async def _listed(self) -> list[Mapping[str, Any]]:
        """Return the schedules of the first pages; only near names are looked for among them."""
        found: list[Mapping[str, Any]] = []
        pages = 0
        async for page in self._api.pages("scheduler", "ListSchedules", token="NextToken", MaxResults=100):
            found += page.get("Schedules") or ()
            pages += 1
            if pages == MOST_PAGES:
                break
        return found

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
