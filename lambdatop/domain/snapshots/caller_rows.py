"""Make the storm rows of schedules, pipes and state machines: what invokes a function by an execution role.

They repeat calls by rules of their own, on top of what Lambda repeats. Score: 5 x the function's error rate
where the caller repeats what the function failed at, 2 x where only somebody else does, 0 while it is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lambdatop.domain.facts.callers import KINDS, NAMED, Caller
from lambdatop.domain.facts.failure_path import async_failure_path
from lambdatop.domain.graph.dead_letters import queue_of
from lambdatop.domain.keys import Key, parse_arn
from lambdatop.domain.sources import PIPES, SCHEDULES, STATE_MACHINES
from lambdatop.domain.state.snapshot import FunctionRow, QueueRow, StormRow
from lambdatop.domain.state.world import World

_SOURCES = dict(zip(KINDS, (SCHEDULES, PIPES, STATE_MACHINES), strict=True))


def caller_rows(
    function: FunctionRow, callers: Sequence[Caller], world: World, queues: Mapping[Key, QueueRow]
) -> Iterator[StormRow]:
    """Yield a row for each caller; where a kind has many, one row for all that are not named."""
    for kind in KINDS:
        of_kind = [caller for caller in callers if caller.kind == kind]
        at = world.callers_at.get((function.key.scope, _SOURCES[kind].name))
        for caller in of_kind[:NAMED]:
            yield _row(function, caller, world, queues, at)
        rest = of_kind[NAMED:]
        if rest:
            names = tuple(caller.name for caller in rest[:NAMED])
            yield StormRow(
                mapping=None,
                function=function.key,
                source_kind=kind,
                source_name=f"{len(rest):,} more {kind}s",
                state="",
                last_result="",
                error_rate=function.error_rate,
                as_of=at,
                failure_path="by the settings of each",
                sources=names,
                caller=rest[0].key,
            )


def _row(
    function: FunctionRow, caller: Caller, world: World, queues: Mapping[Key, QueueRow], at: float | None
) -> StormRow:
    dlq = queue_of(caller.dlq_arn) if isinstance(caller.dlq_arn, str) else None
    failing = function.error_rate or 0.0
    arn = parse_arn(caller.function_arn)
    part = " (enrichment)" if "enrichment" in caller.parts else ""
    return StormRow(
        mapping=None,
        function=function.key,
        qualifier=(arn.qualifier or "") if arn is not None else "",
        source_kind=caller.kind,
        source_name=f"{caller.name}{part}",
        state=caller.state if isinstance(caller.state, str) else "",
        last_result="",
        dlq=queues.get(dlq) if dlq is not None else None,
        error_rate=function.error_rate,
        score=0.0 if caller.off else round((5 if _repeats(caller) else 2) * failing, 2),
        why=f"{caller.state}" if caller.off else f"{failing:.0%} errors" if failing else "",
        as_of=at,
        invocation=caller.invocation,
        failure_path=_failure_path_of(function, caller, world),
        caller=caller.key,
        settings=caller.settings,
    )


def _repeats(caller: Caller) -> bool:
    """Return whether it is known to repeat a call of which the function failed; Scheduler does not wait."""
    if caller.kind == "pipe":
        return caller.invocation == "push sync"
    return caller.kind == "state machine" and isinstance(caller.retry, tuple) and bool(caller.retry)


def _failure_path_of(function: FunctionRow, caller: Caller, world: World) -> str:
    """Return what becomes of a failed call: by the caller's own rule, then by Lambda's for an event."""
    if caller.invocation != "push async":
        return caller.retries
    config, reserved = world.triggers_of(function.key).async_config, world.reserved_of(function.key)
    return (
        f"{caller.retries}; an event that was taken: {async_failure_path(function.facts, config, reserved)}"
    )
