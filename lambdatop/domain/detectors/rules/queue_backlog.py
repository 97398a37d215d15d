"""Detect queue_backlog: a queue fills although its consumer works, and what the consumer is held by.

How much of a queue Lambda works off at once, and that a FIFO queue is worked off group by group: Lambda
developer guide, "Configuring scaling behavior for SQS event source mappings".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import inf
from statistics import median
from typing import NamedTuple

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.deadline import left_words, queue_deadline
from lambdatop.domain.facts.event_source_mapping import MappingFacts, most_at_once
from lambdatop.domain.facts.not_read import NEVER_ASKED, NO_POINT, NotKnown, or_none
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import depths
from lambdatop.domain.figures.rates import Points, Window, points_of, slope_per_min
from lambdatop.domain.figures.stream_lag import climbs, lowest_at, rise
from lambdatop.domain.graph.dead_letters import dead_letter_queues
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.units import about, minutes

NAME = "queue_backlog"
SUGGESTS = ("tune_trigger", "restore_concurrency", "cap_concurrency")

_RELATIVE_RISE = 0.05
_STANDS = 0.95
"""A backlog stands while the least and the most of the window differ from what waits now by 5 %."""
_FAILING = 0.5
LEAST_MIN = 5
"""Minutes since a trigger was changed, below which its queue tells nothing."""


class _Backlog(NamedTuple):
    """How many messages waited over the window, how many are done a minute, how old the oldest is (s).

    `done_per_min` and `drain_s` are None where they are not known; `drain_s`, how long what waits would take
    if nothing more came, is infinite where nothing is done. `blocked` says that the oldest message of a FIFO
    queue grows older with the clock.
    """

    points: Points
    done_per_min: float | None
    drain_s: float | None
    age_s: float | NotKnown
    blocked: bool


class _Hold(NamedTuple):
    """What the consumer is held by: its name, words, and the mitigations that change it."""

    name: str
    words: str
    suggests: tuple[str, ...] = ()


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per queue with enabled consumers that fills, stands full, or is blocked."""
    fed: dict[Key, list[MappingFacts]] = defaultdict(list)
    for mapping in context.world.mappings.values():
        queue = mapping.source_queue
        if mapping.enabled and queue is not None and queue in context.world.queues:
            fed[queue].append(mapping)
    for key in sorted(fed):
        over = _since_change(context.window(key, context.limits.queue_backlog.window_min), fed[key])
        facts = context.world.queues[key].facts
        found = _backlog(context, facts, over)
        if found is not None:
            yield _finding(context, facts, sorted(fed[key], key=lambda m: m.key), over, found)


def _since_change(over: Window, mappings: list[MappingFacts]) -> Window:
    """Return the part of the window since the triggers were changed: before, one may have paused."""
    changed = max((m.last_modified or 0.0) for m in mappings)
    return Window(max(over.start, int(changed // MINUTE + 1) * MINUTE), over.end)


def _backlog(context: EvaluationContext, facts: QueueFacts, over: Window) -> _Backlog | None:
    limits, key, metric = context.limits.queue_backlog, facts.key, context.world.metric
    points = depths(context.world, key, over)
    if over.minutes < LEAST_MIN or len(points) < 2 or not points[-1][1]:
        return None
    waiting, deleted = points[-1][1], metric(key, "NumberOfMessagesDeleted")
    many = waiting >= context.limit(NAME, key, limits.min_waiting)
    done = deleted.sum(over.start, over.end) / over.minutes if deleted.times else None
    drain_s = None if done is None else 60 * waiting / done if done else inf
    ages = points_of(metric(key, "ApproximateAgeOfOldestMessage", "Maximum"), over)
    older = rise(tuple((at, 1000 * s) for at, s in ages), limits.blocked_ms_per_min, over.minutes // 2)
    blocked = facts.fifo and older is not None and older.age_ms >= 1000 * limits.blocked_age_s
    fills = climbs(points, max(limits.min_waiting / 2, _RELATIVE_RISE * waiting))
    fills &= drain_s is None or drain_s >= 60 * context.limit(NAME, key, limits.filling_drain_min)
    fills &= done is None or _usually_sent(context, key, over) > done
    least, most = min(d for _, d in points), max(d for _, d in points)
    stands = len(points) >= over.minutes - 1 and least >= _STANDS * waiting >= _STANDS**2 * most
    stands &= drain_s is not None and drain_s >= 60 * context.limit(NAME, key, limits.standing_drain_min)
    if not (blocked or (many and (fills or stands))):
        return None
    return _Backlog(points, done, drain_s, ages[-1][1] if ages else NO_POINT, blocked)


def _usually_sent(context: EvaluationContext, queue: Key, over: Window) -> float:
    """Return how many messages half of the minutes get at least; infinite where that is not known.

    A producer that sends in portions leaves minutes in which the consumer catches up.
    """
    sent = context.world.metric(queue, "NumberOfMessagesSent")
    counts = [value or 0.0 for value in sent.grid(over.start, over.minutes)]
    return median(counts) if sent.window(over.start, over.end) else inf


def _finding(
    context: EvaluationContext, facts: QueueFacts, mappings: list[MappingFacts], over: Window, found: _Backlog
) -> Finding:
    limits = context.limits.queue_backlog
    waiting, slope = found.points[-1][1], slope_per_min(found.points) or 0.0
    letters = True if facts.key in dead_letter_queues(context.world) else NEVER_ASKED
    deadline = queue_deadline(facts, found.age_s, letters, context.now)
    wait_s = max(found.drain_s or 0.0, or_none(found.age_s) or 0.0)
    share = min(wait_s, facts.retention_s) / facts.retention_s
    critical = share > context.limit(NAME, facts.key, limits.critical_share, "critical")
    hold = _hold(context, facts, mappings, over)
    if found.blocked:
        words = f"{facts.name} is blocked: {waiting:.0f} messages wait and the oldest grows older"
    else:
        words = f"{facts.name} fills: {waiting:.0f} messages wait, {slope:+.0f} a minute"
    by = deadline.at if deadline.at is not None else deadline.latest
    return Finding(
        NAME,
        "critical" if critical else "warning",
        Ref(facts.key, facts.arn, facts.name),
        f"{words}; {hold.words}",
        lowest_at(found.points),
        (
            ("queue", facts.name),
            ("functions", ", ".join(sorted({m.function.id for m in mappings}))),
            ("waiting", waiting),
            ("growth_per_min", round(slope, 1)),
            ("done_per_min", None if found.done_per_min is None else round(found.done_per_min, 1)),
            ("drain_s", None if found.drain_s in (None, inf) else minutes(found.drain_s or 0)),
            ("held_by", hold.name),
            _groups(context, facts, over),
            ("oldest_age_s", or_none(found.age_s)),
            ("retention_s", facts.retention_s),
            ("expires_in_s", None if by is None else round(by - context.now)),
            ("expiry", left_words(deadline, context.now, "expires")),
            ("window_min", over.minutes),
        ),
        hold.suggests,
        f"{_drained(found)} for {waiting:.0f} messages, {found.points[0][1]:.0f} at the start of "
        f"{over.minutes} min",
        tuple(dict.fromkeys(k for m in mappings for k in (m.function, m.key))),
    )


def _drained(found: _Backlog) -> str:
    if found.done_per_min is None or found.drain_s is None:
        return "how many are done a minute is not known"
    if not found.done_per_min:
        return "none is done"
    return f"{found.done_per_min:.0f} done a minute: {about(found.drain_s)}"


def _groups(context: EvaluationContext, queue: QueueFacts, over: Window) -> tuple[str, float | None]:
    """Return how many groups a FIFO queue has in flight, or of a standard one how many are noisy."""
    name, metric = (
        ("groups_in_flight", "ApproximateNumberOfGroupsWithInflightMessages")
        if queue.fifo
        else ("noisy_groups", "ApproximateNumberOfNoisyGroups")
    )
    return name, context.world.metric(queue.key, metric, "Maximum").max(over.start, over.end)


def _hold(context: EvaluationContext, queue: QueueFacts, mappings: list[MappingFacts], over: Window) -> _Hold:
    """Return what holds the consumer, the nearest limit first; the first consumer that is held."""
    for mapping in mappings:
        found = _held(context, mapping, over)
        if found is not None:
            return found
    _, groups = _groups(context, queue, over)
    if queue.fifo:
        at_once = "" if groups is None else f", {groups:.0f} at once"
        words = f"a FIFO queue is worked off group by group, one batch of each at a time{at_once}"
        return _Hold("message groups", words)
    noisy = f"; {groups:.0f} of its message groups take most of it" if groups else ""
    return _Hold("not known", f"what holds its consumer is not known{noisy}")


def _held(context: EvaluationContext, mapping: MappingFacts, over: Window) -> _Hold | None:
    world, function = context.world, mapping.function
    name, reserved = function.id, world.reserved_of(function)
    runs = world.metric(function, "Invocations").sum(over.start, over.end)
    errors = world.metric(function, "Errors").sum(over.start, over.end)
    running = world.metric(function, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
    if reserved == 0:
        return _Hold("reserved concurrency", f"{name} may not run: reserved concurrency 0", SUGGESTS[1:2])
    if runs and errors / runs >= _FAILING:
        return _Hold("errors", f"{errors / runs:.0%} of {name} fails")
    most, own, source = most_at_once(mapping)
    if running is not None and own and running >= most:
        tunes = SUGGESTS[:1] if mapping.max_concurrency else ()
        return _Hold(source, f"{name} runs {running:.0f} at once: {source} is {most}", tunes)
    if running is not None and isinstance(reserved, int) and running >= reserved:
        words = f"{name} runs {running:.0f} at once: its reserved concurrency is {reserved}"
        return _Hold("reserved concurrency", words, SUGGESTS[1:])
    if world.metric(function, "Throttles").sum(over.start, over.end):
        return _Hold("throttles", f"{name} is throttled")
    return None


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=205,
    says="a queue fills although its consumer works",
    formula=(
        "visible + in flight climbs over {window_min} final minutes and would take {filling_drain_min:g} "
        "min or more to work off at NumberOfMessagesDeleted a minute; or does not fall and would take "
        "{standing_drain_min:g} min or more; or the oldest message of a FIFO queue, {blocked_age_s:g} s "
        "old, grows older by {blocked_ms_per_min:.0f} ms/min or more"
    ),
    source=(
        "AWS/SQS ApproximateNumberOfMessagesVisible and …NotVisible (or polled attributes), "
        "NumberOfMessagesDeleted, ApproximateAgeOfOldestMessage, …GroupsWithInflightMessages (FIFO), "
        "…NoisyGroups; AWS/Lambda ConcurrentExecutions, Errors"
    ),
    traps=(
        "a burst of the producer is one step and drains; one that sends in portions leaves minutes without "
        "(silent while half of them get less than is done); a trigger that was paused (what came before it "
        "was changed does not count); a batch job that takes an hour falls all the "
        "while; consumers outside of Lambda delete, too; the age of the oldest leaves out what was "
        "received three times"
    ),
    suggests=SUGGESTS,
)
