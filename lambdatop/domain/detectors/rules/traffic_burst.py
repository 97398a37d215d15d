"""Detect traffic_burst: events that invoke a function multiply, and nothing that is known sends so many.

A loop whose way does not stand in the configuration shows like this: the function writes to a bucket or a
queue whose name came with the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.callers import NAMED
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.context import EvaluationContext, asked_from
from lambdatop.domain.figures.loop_traffic import volume
from lambdatop.domain.figures.queue_flow import flow
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.figures.sudden_change import GROWS_MIN, OF_GROWTH, SLOW_MIN, STAYS_MIN, Burst, burst
from lambdatop.domain.graph.topology import graph
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "traffic_burst"
SUGGESTS = ("disable_trigger", "cap_concurrency", "throttle_to_zero")

EVENTS = 0.8
"""Share of the invocations that are asynchronous events, from which on callers are no explanation."""
EXPLAINED = 0.5
"""Share of the burst that a known producer must send to explain it."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose events multiply for no known reason."""
    limits = context.limits.traffic_burst
    for key, facts in context.measured():
        series = context.world.metric(key, "Invocations")
        end = context.window(key, limits.window_min).end
        asked = asked_from(context, facts)
        found = burst(series, end, limits.factor, limits.growth_factor, limits.min_per_min, asked)
        lasts = found is None and context.stands(NAME, key)
        if lasts:
            found = _goes_on(context, key, end, asked)
        if (
            found is not None
            and _is_sent_events(context, key, found, end)
            and not _explained(context, key, found, end)
        ):
            yield _finding(context, facts, found, end, lasts=lasts)


def _goes_on(context: EvaluationContext, key: Key, end: int, asked: int | None) -> Burst | None:
    """Return a burst that was stated and lasts: growth ends at a limit, a jump becomes what is usual."""
    counts = context.world.metric(key, "Invocations").window(end - 60 * MINUTE, end)
    peak, limits = max(counts, default=0.0), context.limits
    if not counts or counts[-1] < limits.clear_factor * max(peak, limits.traffic_burst.min_per_min):
        return None
    begin = end - 60 * MINUTE
    # A minute that was asked for and has no point had no invocation.
    rested = asked is not None and len(counts) < (end - max(begin, asked)) // MINUTE
    return Burst(0.0 if rested else min(counts), counts[-1], float(end - len(counts) * MINUTE))


def _is_sent_events(context: EvaluationContext, key: Key, found: Burst, end: int) -> bool:
    """Return whether events invoke it: of callers that wait for an answer nobody is a loop."""
    if any(m.enabled for m in context.world.mappings_of(key)):
        return True
    since = max(int(found.since), end - 5 * MINUTE)
    events = context.world.metric(key, "AsyncEventsReceived").sum(since, end)
    return events >= EVENTS * context.world.metric(key, "Invocations").sum(since, end)


def _explained(context: EvaluationContext, key: Key, found: Burst, end: int) -> bool:
    """Return whether earlier work or a producer that is known explains it: a backlog, a replay, a sender."""
    world, over = context.world, Window(max(int(found.since), end - 5 * MINUTE), end)
    ran = world.metric(key, "Invocations").sum(over.start, over.end)
    ages = world.metric(key, "IteratorAge", "Maximum").window(over.start, over.end)
    if len(ages) > 1 and ages[-1] >= MINUTE * 1000 and ages[-1] < ages[0]:
        return True
    for mapping in world.mappings_of(key):
        queue = mapping.source_queue
        seen = flow(world, queue, over) if queue else None
        if queue is None or seen is None:
            continue
        visible = world.metric(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
        waiting = visible.max(over.start - MINUTE, over.end) or 0.0
        if seen.sent < EXPLAINED * seen.deleted or waiting > seen.deleted:
            return True  # it works off what was there before
    own, edges = world.functions[key].arn, graph(world).edges
    sources = {edge.source for edge in edges if edge.target == own}
    senders = sources | {edge.source for edge in edges if edge.target in sources}
    functions = [node for node in senders if ":function:" in node and node != own]
    return any((volume(context, node, over) or 0.0) >= EXPLAINED * ran for node in functions)


def _known(callers: Sequence[str]) -> str:
    """Return what is known of senders: nothing counts the calls of a schedule, pipe or state machine."""
    if not callers:
        return "and nothing known sends so much"
    more = f" and {len(callers) - 1:,} more" if len(callers) > 1 else ""
    return f"and nothing counted sends so much; {callers[0]}{more} may"


def _finding(
    context: EvaluationContext, facts: FunctionFacts, found: Burst, end: int, *, lasts: bool
) -> Finding:
    key, limits = facts.key, context.limits.traffic_burst
    over = Window(max(int(found.since), end - 5 * MINUTE), end)
    polled = [m for m in context.world.mappings_of(key) if m.enabled]
    hint = "" if polled else "; if nobody sends so much, it may invoke itself"
    flows = [(q, f) for m in polled if (q := m.source_queue) and (f := flow(context.world, q, over))]
    if flows:
        queue, seen = flows[0]
        hint = f"; {queue.id} got {seen.sent:.0f} and {seen.deleted:.0f} are done: it may feed its own queue"
    callers = [c.name for c in context.world.callers.get(key, ()) if not c.off]
    ahead = (
        f"{limits.growth_factor:g} times the minute before"
        if found.steps
        else f"{limits.factor:g} times the hour before"
    )
    grown = f"each {ahead} or more"
    if lasts:
        grown = f"as it was stated, and at {context.limits.clear_factor:.0%} of its most or more since"
    if found.slow:
        grown = f"{limits.factor:g} times or more within {SLOW_MIN} min, and no slower at the end"
    return Finding(
        NAME,
        "warning",
        Ref(key, facts.arn, facts.name),
        f"{facts.name}: {found.words}, {_known(callers)}{hint}",
        found.since,
        (
            ("invocations_per_min", found.now),
            ("invocations_before_per_min", found.before),
            ("growing", "yes" if found.steps else "no"),
            ("sources", ", ".join((*sorted({m.source_name for m in polled}), *callers[:NAMED])) or None),
        ),
        SUGGESTS if polled else SUGGESTS[1:],
        f"{found.words} >= {limits.min_per_min:g}, {grown}",
        tuple(m.key for m in polled),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=35,
    says="events that invoke a function multiply, and nothing known sends so many",
    formula=(
        f"invocations of {STAYS_MIN} minutes or more are "
        "{factor:g} times the most of the hour before; or "
        f"{GROWS_MIN} minutes in a row "
        "{growth_factor:g} times the minute before, up to "
        f"{OF_GROWTH:g} x "
        "{factor:g} times that most; or "
        f"{SLOW_MIN} minutes that grow to "
        "{factor:g} times; at least {min_per_min:g} a minute, by asynchronous events or an event source "
        "mapping; {factor:g} x {min_per_min:g} a minute where the function did not run in the hour before"
    ),
    source=(
        "AWS/Lambda Invocations, AsyncEventsReceived, IteratorAge; AWS/SQS Sent, Deleted, Visible; the "
        "event graph"
    ),
    traps=(
        "callers that wait for an answer (silent: they are users); a backlog or a replay; a function that "
        "is known to send and was as busy; an upload of many files looks like a loop, which the sentence "
        "says"
    ),
    suggests=SUGGESTS,
)
