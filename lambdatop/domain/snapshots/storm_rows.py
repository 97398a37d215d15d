"""Make the storm rows: each trigger that may repeat work, ordered by how much it does.

    score = 10 x wasted share + 5 x error rate + 3 x min(1, DLQ growth per min / 10)
            + 2 x retried until the record expires, while failing + 8 x its function feeds itself

    wasted share    of the function's invocations: repeated receives of a queue ((received - deleted - in
                    flight) / received), attempts of asynchronous events beyond the first ((attempts -
                    received) / attempts), failed batches of a stream (errors / invocations)
    error rate      of the function over the same window
    wasted USD/h    wasted share x what it costs to run the function (`function_cost.py`, which takes the
                    largest such share as the function's waste): an estimate, because the durations of
                    repeated and of first runs cannot be told apart
A mapping that is Disabled keeps its row but scores by what still waits only (0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from lambdatop.domain import sources
from lambdatop.domain.cooperative import paced
from lambdatop.domain.detectors.rules import runaway_loop, suspected_loop
from lambdatop.domain.facts.event_source_mapping import MappingFacts, risks
from lambdatop.domain.facts.failure_path import async_failure_path, queue_failure_path, stream_failure_path
from lambdatop.domain.facts.not_read import NEVER_ASKED, NO_POINT, NOT_ASKED, NotKnown, or_none
from lambdatop.domain.facts.series import MINUTE, Series, SeriesKey
from lambdatop.domain.facts.source_kinds import ORDERED
from lambdatop.domain.facts.triggers import Invocation, PushTrigger
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.function_cost import attempted_again, received_again
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.figures.stream_lag import retention_s
from lambdatop.domain.keys import Key, parse_arn
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.snapshots.caller_rows import caller_rows
from lambdatop.domain.state.snapshot import FunctionRow, QueueRow, StormRow, Trend

CALLER_DECIDES = "the caller decides: Lambda never repeats a synchronous call"
FAILING = 0.5
LOOPS = (runaway_loop.NAME, suspected_loop.NAME)

Made = Mapping[Key, tuple[tuple[object, ...], tuple[StormRow, ...]]]
"""Rows by mapping or function, each with what it was made of."""


class Rows(Struct, frozen=True):
    """What storm rows are made of; `before` are those of the round before."""

    context: EvaluationContext
    functions: Mapping[Key, FunctionRow]
    queues: Mapping[Key, QueueRow]
    listed_at: float | None
    loops: frozenset[Key] = frozenset()
    before: Made = field(default_factory=dict)


def in_loops(findings: Iterable[Finding]) -> frozenset[Key]:
    """Return the functions found to invoke themselves: every processed event creates the next one."""
    return frozenset(f.target.key for f in findings if f.detector in LOOPS and f.rank > 0)


def storm_rows(mappings: tuple[MappingFacts, ...], rows: Rows) -> tuple[tuple[StormRow, ...], Made]:
    """Return one row per mapping and per pushed function, worst first; and how they were made."""
    made: dict[Key, tuple[tuple[object, ...], tuple[StormRow, ...]]] = {}
    world = rows.context.world
    unread = (world.unread(sources.QUEUES), world.unread(sources.STREAMS))
    for mapping in mappings:
        function, queue, dlq = parts = _parts(mapping, rows)
        gone = world.invokes_nothing(mapping)
        of: tuple[object, ...] = (mapping, *parts, rows.listed_at, world.streams, world.gaps, gone, *unread)
        known = rows.before.get(mapping.key)
        if known is None or not _same(known[0], of):
            known = of, (_polled(mapping, function, queue, dlq, rows),)
        made[mapping.key] = known
    by_role = world.callers
    for key, function in paced(rows.functions.items(), rows.context.give_way, 500):
        callers = by_role.get(key, ())
        of = (function, world.triggers_of(key), world.reserved_of(key), callers)
        if callers:
            of = (*of, world.callers_at, rows.queues)
        known = rows.before.get(key)
        if known is None or not _same(known[0], of):
            known = of, (*_pushed(function, rows), *caller_rows(function, callers, world, rows.queues))
        made[key] = known
    rows.context.give_way()
    found = [
        _feeding_itself(row) if row.function in rows.loops else row
        for _, each in made.values()
        for row in each
    ]
    rows.context.give_way()
    # Names order rows of equal weight: UUIDs would order them differently in every account.
    return tuple(sorted(found, key=lambda r: (-r.score, r.source_name, r.function_name, r.key))), made


def _same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """Return whether a row is made of the same objects as before."""
    return len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))


def _parts(mapping: MappingFacts, rows: Rows) -> tuple[FunctionRow | None, QueueRow | None, QueueRow | None]:
    """Return the function, queue and dead-letter queue of a mapping."""
    queue = rows.queues.get(mapping.source_queue) if mapping.source_queue else None
    dlq = rows.queues.get(queue.facts.dlq) if queue and queue.facts.dlq else None
    return rows.functions.get(mapping.function), queue, dlq


def _feeding_itself(row: StormRow) -> StormRow:
    """Return the row of a loop, which repeats work without a failure, so that no ratio shows it."""
    if row.state not in ("", "Enabled") or row.caller is not None:
        return row
    return replace(row, score=row.score + 8, why=", ".join(filter(None, ("it invokes itself", row.why))))


def _polled(
    mapping: MappingFacts,
    function: FunctionRow | None,
    queue: QueueRow | None,
    dlq: QueueRow | None,
    rows: Rows,
) -> StormRow:
    """Return the row of an event source mapping."""
    error_rate = function.error_rate if function else None
    stream = mapping.kind.ages
    facts, reserved = (function.facts, function.reserved) if function else (None, None)
    row = StormRow(
        mapping=mapping.key,
        function=mapping.function,
        qualifier=mapping.qualifier,
        source_kind=mapping.source_kind,
        source_name=mapping.source_name,
        state=mapping.state,
        last_result=mapping.last_result,
        queue=queue,
        dlq=dlq,
        iterator_age_ms=function.iterator_age_ms if function and stream else None,
        error_rate=error_rate,
        risks=risks(mapping, facts, queue.facts if queue else None, reserved),
        as_of=rows.listed_at,
        invocation=mapping.kind.invocation,
        failure_path=_failure_path(mapping, queue, function, rows),
        amplification=queue.redelivery_ratio if queue else None,
        trend=_queue_trend(mapping, rows),
        blocks=_blocked(mapping, queue, error_rate),
    )
    row = _wasted(row, _repeated(row), function)
    score, why = _score(mapping, row)
    return replace(row, score=score, why=why)


def _failure_path(
    mapping: MappingFacts, queue: QueueRow | None, function: FunctionRow | None, rows: Rows
) -> str:
    if rows.context.world.invokes_nothing(mapping):
        return "its function was deleted: nothing is delivered"
    if not mapping.enabled:
        return f"{mapping.state.lower()}: waits in its source"
    if mapping.source_kind == "mq":
        return "handed out again by the broker; whether it has a dead-letter queue is not read"
    if mapping.source_kind == "sqs":
        return queue_failure_path(queue.facts if queue else _unread_queue(mapping, rows))
    kept, age = retention_s(rows.context.world, mapping), _age_s(mapping, function, rows)
    return stream_failure_path(mapping, kept, age)


def _age_s(mapping: MappingFacts, function: FunctionRow | None, rows: Rows) -> float | NotKnown:
    """Return the iterator age in s; no metric has one for a kind whose records have none."""
    if not mapping.kind.ages:
        return NEVER_ASKED
    if function is None or function.iterator_age_ms is None:
        asked = rows.context.world.asked_at(SeriesKey(mapping.function, "IteratorAge", "Maximum"))
        return NOT_ASKED if asked is None else NO_POINT
    return function.iterator_age_ms / 1000


def _unread_queue(mapping: MappingFacts, rows: Rows) -> NotKnown:
    known = rows.context.world.queue_of(mapping.source_queue) if mapping.source_queue else NOT_ASKED
    return known if isinstance(known, NotKnown) else NOT_ASKED


def _blocked(mapping: MappingFacts, queue: QueueRow | None, error_rate: float | None) -> tuple[str, ...]:
    """Return who waits behind a failed event."""
    if not mapping.enabled or (error_rate or 0.0) <= 0:
        return ()
    if mapping.kind.part:
        return (f"later {mapping.kind.event} of the {mapping.kind.part}",)
    return ("later messages of the group",) if queue is not None and queue.facts.fifo else ()


def _repeated(row: StormRow) -> float | None:
    """Return the share of the function's work that is repeated, None when it is not known."""
    if row.queue is not None:
        return received_again(row.queue.received, row.queue.deleted, row.queue.facts.in_flight)
    return row.error_rate if row.source_kind in ORDERED else None


def _wasted(row: StormRow, share: float | None, function: FunctionRow | None) -> StormRow:
    if share is None or function is None:
        return row
    runs = function.invocations_per_min
    # Provisioned concurrency is paid for whether or not anything is run again.
    burn = function.burn.usage if function.burn is not None else function.burn_usd_per_hour
    return replace(
        row,
        wasted_per_min=None if runs is None else runs * share,
        wasted_usd_per_hour=None if burn is None else burn * share,
    )


def _score(mapping: MappingFacts, row: StormRow) -> tuple[float, str]:
    if not mapping.enabled:
        return 0.0, f"{mapping.state.lower()}: nothing is delivered"
    score, words = 0.0, []
    share = _repeated(row) or 0.0
    if row.queue is not None and share >= 0.05:
        words.append(f"{share:.0%} of receives are repeats")
    score += 10 * share
    if row.error_rate:
        score += 5 * row.error_rate
        words.append(f"{row.error_rate:.0%} errors")
    if row.dlq is not None and (row.dlq.trend_per_min or 0) > 0:
        score += 3 * min(1.0, (row.dlq.trend_per_min or 0.0) / 10)
        words.append(f"DLQ +{row.dlq.trend_per_min:.1f}/min")
    if mapping.endless and (row.error_rate or 0) > FAILING:
        score += 2
        words.append("retried until the record expires")
    return round(score, 2), ", ".join(words)


def _pushed(function: FunctionRow, rows: Rows) -> list[StormRow]:
    """Return the rows of a function that others invoke.

    One for asynchronous events, one for synchronous callers.
    """
    world = rows.context.world
    push = or_none(world.triggers_of(function.key).push) or ()
    later = [t for t in push if t.invocation == "push async"]
    found = []
    if later or world.metric(function.key, "AsyncEventsReceived").times:
        found.append(_asynchronous(function, later, rows))
    now = [t for t in push if t.invocation == "push sync"]
    if now:
        row = _row(function, now, "callers", "push sync")
        failing = function.error_rate or 0.0
        found.append(
            replace(row, failure_path=CALLER_DECIDES, score=round(2 * failing, 2), why=_errors(function))
        )
    return found


def _asynchronous(function: FunctionRow, push: list[PushTrigger], rows: Rows) -> StormRow:
    context, key = rows.context, function.key
    over = context.window(key, context.limits.async_amplification.window_min)
    attempts = context.world.metric(key, "AsyncEventAge", "SampleCount")
    received = context.world.metric(key, "AsyncEventsReceived")
    tried, came = attempts.sum(over.start, over.end), received.sum(over.start, over.end)
    share = attempted_again(tried, came)
    row = _row(function, push, "async callers", "push async")
    row = _wasted(
        replace(
            row,
            failure_path=async_failure_path(
                function.facts, context.world.triggers_of(key).async_config, context.world.reserved_of(key)
            ),
            amplification=tried / came if came else None,
            trend=_ratio_trend(attempts, received, over),
        ),
        share,
        function,
    )
    score = 10 * (share or 0.0) + 5 * (function.error_rate or 0.0)
    again = [f"{share:.0%} of attempts are repeats"] if share and share >= 0.05 else []
    return replace(row, score=round(score, 2), why=", ".join(filter(None, (*again, _errors(function)))))


def _row(function: FunctionRow, push: list[PushTrigger], otherwise: str, invocation: Invocation) -> StormRow:
    """Return a row for some triggers of one function, named `otherwise` where none is known by name."""
    names = tuple(dict.fromkeys(_name(t) for t in push))
    return StormRow(
        mapping=None,
        function=function.key,
        source_kind=_kind(push),
        source_name=f"{len(names)} triggers" if len(names) > 1 else names[0] if names else otherwise,
        state="",
        last_result="",
        error_rate=function.error_rate,
        as_of=function.as_of,
        invocation=invocation,
        sources=names,
    )


def _kind(push: list[PushTrigger]) -> str:
    """Return the kind that all of these triggers have; `several` where they differ."""
    kinds = {trigger.kind for trigger in push}
    return "async" if not kinds else kinds.pop() if len(kinds) == 1 else "several"


def _errors(function: FunctionRow) -> str:
    return f"{function.error_rate:.0%} errors" if function.error_rate else ""


def _name(trigger: PushTrigger) -> str:
    """Return `s3 uploads`; the kind alone where the policy names no source."""
    arn = parse_arn(trigger.source_arn)
    return f"{trigger.kind} {arn.name}" if arn else trigger.kind


def _queue_trend(mapping: MappingFacts, rows: Rows) -> Trend:
    if mapping.source_queue is None:
        return ""
    over = rows.context.window(mapping.source_queue, rows.context.limits.sqs_redelivery.window_min)
    received = rows.context.world.metric(mapping.source_queue, "NumberOfMessagesReceived")
    deleted = rows.context.world.metric(mapping.source_queue, "NumberOfMessagesDeleted")
    return _ratio_trend(received, deleted, over)


def _ratio_trend(above: Series, below: Series, over: Window) -> Trend:
    """Return the direction of a ratio: the newer half of the window against the older; under 20 % is flat."""
    half = over.start + over.minutes // 2 * MINUTE
    older, newer = below.sum(over.start, half), below.sum(half, over.end)
    if not older or not newer:
        return ""
    before, now = above.sum(over.start, half) / older, above.sum(half, over.end) / newer
    if now > before * 1.2:
        return "up"
    return "down" if now < before * 0.8 else "flat"
