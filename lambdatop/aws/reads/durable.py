"""Read durable executions: which run, of every version, and the history of one. Only on demand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lambdatop.aws.facts.resources import arn_text, optional, seconds
from lambdatop.aws.reads.gaps import not_known
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.durable import (
    INVOCATION,
    PART,
    RUNNING,
    DurableExecution,
    ExecutionHistory,
    HistoryEvent,
    RunningExecutions,
    VersionExecutions,
    operations_of,
)
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.sanitize import clean_line, clean_name

LATEST = "$LATEST"
MOST_VERSIONS = 20
"""Versions that are asked about besides those that aliases point at, the newest: a call each."""
PAGE = 1000
"""Executions in an answer, as many as AWS gives at once."""
MOST_PAGES = 2
"""Pages that are read of each version."""
EVENTS, EVENT_PAGES = 100, 3
"""Events in an answer, and answers that are read: each event may hold 256 KB that somebody stored."""
ERROR_MAX = 500
_PATH = re.compile(r"(\$LATEST(\.PUBLISHED)?|[0-9]+)/[\w-]+/[\w-]+", re.ASCII)
"""Version, name and id as the model has them: nothing else is put into an ARN that is sent."""


class DurableReads:
    """Implements `domain.ports.aws.DurableExecutions` for one scope's functions."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def running(self, function: Key) -> RunningExecutions:
        """Read the running executions of a function; raises SourceError kinds.

        The list of versions is essential; executions of a version that were not answered are not known.
        """
        address = function_arn(self._scope, function.id)
        versions, aliases = await asyncio.gather(self._versions(address), self._aliases(address))
        pointed: dict[str, list[str]] = {}
        for alias, at in () if isinstance(aliases, NotKnown) else aliases:
            for version in at:
                pointed.setdefault(version, []).append(alias)
        newest = versions[-MOST_VERSIONS:]
        asked = [v for v in versions if v in newest or v in pointed or v == LATEST]
        found = await asyncio.gather(*(self._of_version(address, v, pointed.get(v, ())) for v in asked))
        return RunningExecutions(
            tuple(found), len(versions) - len(asked), aliases if isinstance(aliases, NotKnown) else None
        )

    async def status(self, function: Key, path: str) -> str | None:
        """Read the status of one execution, None where AWS knows it no more; raises SourceError kinds."""
        try:
            answer = await self._get(function, path, data=False)
        except Missing:
            return None
        return clean_name(str(answer["Status"]))

    async def history(self, function: Key, path: str) -> ExecutionHistory:
        """Read what one execution has done, its newest events; raises SourceError kinds.

        The execution itself is essential, its events are not.
        """
        (answer, (events, more)) = await asyncio.gather(
            self._get(function, path, data=True), self._events(function, path)
        )
        known = () if isinstance(events, NotKnown) else events
        runs = [e for e in known if e.kind == INVOCATION]
        failed = [e.error for e in runs if e.error]
        return ExecutionHistory(
            path=path,
            status=clean_name(str(answer["Status"])),
            started=seconds(answer.get("StartTimestamp")),
            ended=seconds(answer.get("EndTimestamp")),
            timeout_s=optional((answer.get("DurableConfig") or {}).get("ExecutionTimeout")),
            error=error_text(answer.get("Error")),
            operations=events if isinstance(events, NotKnown) else operations_of(events),
            invocations=len(runs),
            failed=len(failed),
            last_failure=failed[0] if failed else "",
            events=len(known),
            more=more,
        )

    async def _get(self, function: Key, path: str, *, data: bool) -> dict[str, Any]:
        arn = execution_arn(function, path)
        return await self._api.read(
            "lambda", "GetDurableExecution", DurableExecutionArn=arn, IncludeExecutionData=data
        )

    async def _events(self, function: Key, path: str) -> tuple[tuple[HistoryEvent, ...] | NotKnown, bool]:
        """Read the newest events, newest first, and whether there are older ones."""
        arn, found, marker = execution_arn(function, path), list[HistoryEvent](), ""
        for _ in range(EVENT_PAGES):
            try:
                page = await self._api.read(
                    "lambda",
                    "GetDurableExecutionHistory",
                    DurableExecutionArn=arn,
                    IncludeExecutionData=True,  # without it errors come without their words
                    MaxItems=EVENTS,
                    ReverseOrder=True,
                    **({"Marker": marker} if marker else {}),
                )
                found += [_event(event) for event in page["Events"]]
            except SourceError as error:
                return not_known(error, "lambda", "GetDurableExecutionHistory"), False
            marker = str(page.get("NextMarker") or "")
            if not marker:
                break
        return tuple(found), bool(marker)

    async def _versions(self, address: str) -> list[str]:
        pages = self._api.pages(
            "lambda", "ListVersionsByFunction", token="Marker", next_token="NextMarker", FunctionName=address
        )
        names = [clean_name(str(v.get("Version") or "")) async for page in pages for v in page["Versions"]]
        return sorted(filter(None, names), key=lambda v: int(v) if v.isdigit() else 0)

    async def _aliases(self, address: str) -> tuple[tuple[str, tuple[str, ...]], ...] | NotKnown:
        """Read the versions that each alias points at."""
        pages = self._api.pages(
            "lambda", "ListAliases", token="Marker", next_token="NextMarker", FunctionName=address
        )
        try:
            answers = [alias async for page in pages for alias in page["Aliases"]]
        except SourceError as error:
            return not_known(error, "lambda", "ListAliases")
        return tuple(
            (
                clean_name(str(a.get("Name") or "")),
                tuple(clean_name(str(v)) for v in (a.get("FunctionVersion"), *_weighted(a)) if v),
            )
            for a in answers
        )

    async def _of_version(self, address: str, version: str, aliases: Sequence[str]) -> VersionExecutions:
        found, marker, odd = dict[str, DurableExecution](), "", False
        for _ in range(MOST_PAGES):
            try:
                page = await self._api.read(
                    "lambda",
                    "ListDurableExecutionsByFunction",
                    FunctionName=address,
                    Qualifier=version,
                    Statuses=[RUNNING],
                    ReverseOrder=True,  # oldest first
                    MaxItems=PAGE,
                    **({"Marker": marker} if marker else {}),
                )
                running = [one for one in page["DurableExecutions"] if one.get("Status", RUNNING) == RUNNING]
            except SourceError as error:
                why = not_known(error, "lambda", "ListDurableExecutionsByFunction")
                return VersionExecutions(version, why, aliases=tuple(aliases))
            for answer in running:
                one = _execution(address, answer)
                odd = odd or one is None
                found |= {one.path: one} if one is not None else {}
            marker = str(page.get("NextMarker") or "")
            if not marker:
                break
        return VersionExecutions(version, tuple(found.values()), bool(marker) or odd, tuple(aliases))


def execution_arn(function: Key, path: str) -> str:
    """Return the ARN of an execution of a function by its path."""
    version, _, rest = path.partition("/")
    return f"{function_arn(function.scope, function.id)}:{version}{PART}{rest}"


def _execution(address: str, answer: Mapping[str, Any]) -> DurableExecution | None:
    """Return an execution of the list, None for what has the ARN of anything else."""
    arn = arn_text(answer.get("DurableExecutionArn"))
    path = arn.removeprefix(f"{address}:").replace(PART, "/", 1)
    if not arn.startswith(f"{address}:") or PART not in arn or not _PATH.fullmatch(path):
        return None
    return DurableExecution(path, path.split("/")[1], seconds(answer.get("StartTimestamp")))


def _weighted(alias: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or ())


def _event(answer: Mapping[str, Any]) -> HistoryEvent:
    """Return one event; its details have a name of their own for each kind of event."""
    details: Mapping[str, Any] = next(
        (v for k, v in answer.items() if k.endswith("Details") and isinstance(v, Mapping)), {}
    )
    retry: Mapping[str, Any] = details.get("RetryDetails") or {}
    return HistoryEvent(
        at=seconds(answer.get("EventTimestamp")),
        kind=clean_name(str(answer.get("EventType") or "")),
        operation=clean_name(str(answer.get("Id") or "")),
        name=clean_line(str(answer.get("Name") or ""), 256),
        attempt=optional(retry.get("CurrentAttempt")),
        again_s=optional(retry.get("NextAttemptDelaySeconds")),
        error=error_text((details.get("Error") or {}).get("Payload")),
    )


def error_text(error: Mapping[str, Any] | None) -> str:
    """Return type and message of an error as one cleaned line, "" for none."""
    parts = (str((error or {}).get(name) or "") for name in ("ErrorType", "ErrorMessage"))
    return clean_line(": ".join(filter(None, parts)), ERROR_MAX)
