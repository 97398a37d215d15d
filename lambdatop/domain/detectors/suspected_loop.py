"""suspected_loop: a function is fed by what it does itself (telemetry D15)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lambdatop.domain.finding import Finding, Ref
from lambdatop.domain.flow import flow
from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.rates import Window, began
from lambdatop.domain.scope import Key
from lambdatop.domain.series import MINUTE
from lambdatop.domain.sight import Sight
from lambdatop.domain.topology import Cycle, cycle_through, path_words

NAME = "suspected_loop"
FORMULA = (
    "a cycle through the function, and over 10 final minutes its queue takes in (Sent) at least 0.8 of what "
    "the function finishes; or invocations grow 1.5 times a minute for 5 minutes, or concurrency stands at "
    "its cap"
)
SOURCE = "AWS/SQS Sent, Deleted; AWS/Lambda Invocations, ConcurrentExecutions; the event graph"
TRAPS = (
    "a ramp of the real source; a backfill; durable functions, which replay; a load test; a producer that "
    "sends as fast as the function works"
)
SUGGESTS = ("disable_trigger", "throttle_to_zero", "stop_recursion")

AT_CAP = 0.95
MIN_MINUTES = 4


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per function on a cycle whose traffic the cycle itself explains."""
    limits = sight.limits.suspected_loop
    for key, facts in sight.world.functions.items():
        over = _known(sight, key, sight.window(key, limits.window_min))
        if over is None or over.minutes < MIN_MINUTES:
            continue
        runs = sight.world.metric(key, "Invocations").sum(over.start, over.end)
        if runs / over.minutes < sight.limit(NAME, key, limits.min_per_min):
            continue
        cycle = cycle_through(sight.world, key)
        if cycle is None or cycle.only_failures:
            continue
        reasons = tuple(_reasons(sight, key, over, cycle))
        if reasons:
            yield _finding(sight, facts, over, cycle, runs, reasons)


def _known(sight: Sight, key: Key, over: Window) -> Window | None:
    """The window from the first minute with traffic on: a young function has no ten minutes."""
    times = sight.world.metric(key, "Invocations").times
    if not times or times[0] >= over.end:
        return None
    return Window(max(over.start, times[0]), over.end)


def _reasons(sight: Sight, key: Key, over: Window, cycle: Cycle) -> Iterator[tuple[str, str]]:
    """What speaks for it: (name of the evidence, words)."""
    fed = _self_fed(sight, key, over, cycle)
    if fed:
        yield "self_fed", fed
    growth = _grows(sight, key, over)
    if growth and not _explained(sight, key, over, cycle):
        yield "growth", growth


def _self_fed(sight: Sight, key: Key, over: Window, cycle: Cycle) -> str:
    """The queue on the cycle takes in about what the function finishes: it lives on its own output."""
    limits = sight.limits.suspected_loop
    for mapping in sight.world.mappings_of(key):
        queue = mapping.source_queue
        if queue is None or queue not in cycle.keys or not _written_by(cycle, queue):
            continue
        seen = flow(sight.world, queue, over)
        if seen is None or seen.deleted <= 0 or seen.sent <= 0:
            continue
        share = seen.sent / seen.deleted
        # Far more sent than done is a producer that runs ahead, far less a backlog that drains.
        if limits.explained_share <= share <= 1 / limits.explained_share and _lasting(sight, key, over):
            return f"{queue.id}: {seen.sent:.0f} sent, {seen.deleted:.0f} done"
    return ""


def _lasting(sight: Sight, key: Key, over: Window) -> bool:
    """Traffic does not fall: what feeds itself goes on, or grows up to its cap."""
    runs = sight.world.metric(key, "Invocations")
    half = over.start + over.minutes // 2 * MINUTE
    before = runs.sum(over.start, half) / (half - over.start)
    return runs.sum(half, over.end) / (over.end - half) >= 0.9 * before


def _written_by(cycle: Cycle, queue: Key) -> bool:
    """Whether a function on the cycle sends to the queue otherwise than by failing."""
    return any(
        edge.target.endswith(f":{queue.id}") and ":sqs:" in edge.target and ":lambda:" in edge.source
        for edge in cycle.edges
    )


def _grows(sight: Sight, key: Key, over: Window) -> str:
    """Growth minute by minute, or the function's concurrency at its cap all the time."""
    limits = sight.limits.suspected_loop
    runs = sight.world.metric(key, "Invocations").window(over.start, over.end)
    streak = 0
    for before, after in pairwise(runs):
        streak = streak + 1 if before > 0 and after / before >= limits.growth_factor else 0
    if streak >= limits.growth_min:
        return f"invocations grew {limits.growth_factor:g} times a minute for {streak} minutes"
    cap = sight.world.reserved.get(key)
    if cap is None:
        caps = [m.max_concurrency for m in sight.world.mappings_of(key) if m.max_concurrency]
        cap = caps[0] if len(caps) == 1 else None
    levels = sight.world.metric(key, "ConcurrentExecutions", "Maximum").window(over.start, over.end)
    if cap and len(levels) >= MIN_MINUTES and min(levels) >= AT_CAP * cap:
        return f"concurrency stands at its cap of {cap}"
    return ""


def _explained(sight: Sight, key: Key, over: Window, cycle: Cycle) -> bool:
    """Whether the source had a backlog, or comes from elsewhere: then growth is no sign of a loop."""
    for mapping in sight.world.mappings_of(key):
        queue = mapping.source_queue
        if queue is not None:
            visible = sight.world.metric(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
            first = visible.window(over.start, over.start + 2 * MINUTE)
            runs = sight.world.metric(key, "Invocations").sum(over.start, over.end)
            return not _written_by(cycle, queue) or (bool(first) and first[0] > runs / 2)
        stream = mapping.source_stream
        incoming = sight.world.metric(stream, "IncomingRecords") if stream else None
        if incoming is not None and incoming.window(over.start, over.end):
            return not any(edge.target.endswith(f"/{mapping.source_name}") for edge in cycle.edges)
    return False


def _finding(
    sight: Sight,
    facts: FunctionFacts,
    over: Window,
    cycle: Cycle,
    runs: float,
    reasons: tuple[tuple[str, str], ...],
) -> Finding:
    unseen = cycle.unseen_by_aws
    triggers = sight.world.triggers_of(facts.key)
    allowed = triggers is not None and triggers.recursive_loop == "Allow"
    dropped = sight.world.metric(facts.key, "RecursiveInvocationsDropped").sum(over.start, over.end)
    if dropped:
        stops = f"AWS stopped {dropped:.0f} chains"
    elif unseen:
        stops = f"AWS does not detect loops through {', '.join(unseen)}"
    elif allowed:
        stops = "loop detection is switched off for this function"
    else:
        stops = "AWS has not stopped it: an SDK that passes no trace header is not seen"
    start = began(sight.world.metric(facts.key, "Invocations"), over.end)
    return Finding(
        NAME,
        "critical",
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} seems to feed itself: {path_words(cycle)}, {runs / over.minutes:.0f} runs a minute",
        float(start) if start is not None else sight.now,
        (
            ("path", path_words(cycle)),
            *reasons,
            ("invocations_per_min", round(runs / over.minutes, 1)),
            ("stopped_by_aws", stops),
            ("window_min", over.minutes),
        ),
        SUGGESTS,
        "; ".join(words for _, words in reasons) + f" over {over.minutes} min",
        cycle.keys,
    )
