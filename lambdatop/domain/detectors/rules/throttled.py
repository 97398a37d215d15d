"""Detect throttled: invocations are throttled, and by which limit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import THROTTLE_REASONS
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.quota_limits import REFILL_PER_MIN, REQUESTS_PER_ENVIRONMENT
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "throttled"
SUGGESTS = ("cap_concurrency", "restore_concurrency", "tune_trigger")

SHORT_MS = 100.0
SCALING_PER_10_S = 1_000
"""New environments per function that 10 s allow (Lambda developer guide, "Understanding Lambda function
scaling"); a minute's maximum hides how fast it was reached."""

USED_UP = 0.99
"""Share of the account's concurrency from which on its pool is used up: the claim that is published of a
minute may miss its last environments."""

CONSUMERS = 3
HOG = 2.0
"""Who takes less than this times the mean of the others is not to blame."""


class Limit(NamedTuple):
    """The limit that throttles: its name, the sentence's end, what helps, and which functions use it."""

    name: str
    words: str
    suggests: tuple[str, ...]
    behind: tuple[Key, ...] = ()
    value: float | None = None


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per throttled function.

    A function set to zero on purpose is information, not an alarm.
    """
    limits = context.limits.throttled
    for key, facts in context.functions():
        stopped = context.world.reserved.get(key, -1) == 0
        if not stopped and key not in context.world.series:
            continue
        over = context.window(key, limits.window_min)
        throttles = context.world.metric(key, "Throttles").sum(over.start, over.end)
        least = context.limit(NAME, key, limits.min_throttles)
        if throttles < least and not stopped:
            # A long run is published when it ends, a throttle at once: known, but not yet which share it is.
            over = context.published(key, limits.window_min)
            throttles = context.world.metric(key, "Throttles").sum(over.start, over.end)
            if throttles < least:
                continue
        yield _finding(context, facts, over, throttles, _limit(context, facts, over))


def _finding(
    context: EvaluationContext, facts: FunctionFacts, over: Window, throttles: float, limit: Limit
) -> Finding:
    key, world = facts.key, context.world
    invocations = world.metric(key, "Invocations").sum(over.start, over.end)
    share = throttles / (throttles + invocations) if throttles else 0.0
    bad = share >= context.limit(NAME, key, context.limits.throttled.critical_share, "critical")
    bad &= over.end <= context.window(key, 1).end
    # Without a run it may stand at zero on purpose, which is not critical.
    sure = invocations > 0 or not isinstance(world.reserved_of(key), NotKnown)
    severity: Severity = "info" if not sure else "critical" if bad else "warning"
    measured = key in world.metrics_at
    start = began(world.metric(key, "Throttles"), over.end)
    used = world.metric(key, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
    return Finding(
        NAME,
        "info" if limit.name == "disabled on purpose" else severity,
        Ref(key, facts.arn, facts.name),
        f"{facts.name} is throttled{limit.words}",
        float(start) if start is not None else context.now,
        (
            ("throttles", throttles if measured else None),
            ("invocations", invocations if measured else None),
            ("throttled_share", round(share, 4) if measured else None),
            ("limit", limit.name),
            ("limit_value", limit.value),
            ("reserved_concurrency", world.reserved.get(key)),
            ("concurrency_max", used),
            ("top_consumers", ", ".join(k.id for k in limit.behind) or None),
            ("window_min", over.minutes),
        ),
        limit.suggests,
        f"{throttles:.0f} throttles / ({throttles:.0f} + {invocations:.0f} invocations) = {share:.1%} "
        f"over {over.minutes} min; limit: {limit.name}",
        limit.behind[:1],
        limit.behind[0] if limit.behind and limit.behind[0] != key else None,
    )


def _limit(context: EvaluationContext, facts: FunctionFacts, over: Window) -> Limit:
    """Return the limit that throttles: what an environment lacks, zero, reservation, account pool, rates."""
    key, world = facts.key, context.world
    if facts.managed_instances and (lacks := _environment(context, key, over)) is not None:
        return lacks
    reserved = world.reserved_of(key)
    used = world.metric(key, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
    if isinstance(reserved, NotKnown):
        words = f": the limit is not known, its reserved concurrency is {reserved.words}"
        return Limit("unknown", words, ("cap_concurrency",))
    if reserved == 0:
        return Limit("disabled on purpose", " to zero", ("restore_concurrency",), value=0)
    if facts.managed_instances:
        return Limit("unknown", " on managed instances, and no metric of them says why", ())
    if reserved is not None and used is not None and used >= reserved:
        return _reserved(context, key, reserved)
    account = world.accounts.get(key.scope)
    most = or_none(account.concurrency_limit) if account is not None else None
    if most:
        whole = Key(key.scope, "account", key.scope.account)
        claimed = world.metric(whole, "ClaimedAccountConcurrency", "Maximum").max(over.start, over.end)
        if reserved is None and claimed is not None and claimed >= USED_UP * most:
            return _pool(context, key, most, claimed, over)
    cap = reserved or most
    return _rate(context, key, over, cap) or Limit(
        "unknown", ", the limit is not visible", ("cap_concurrency",)
    )


def _environment(context: EvaluationContext, key: Key, over: Window) -> Limit | None:
    """Return what execution environments on managed instances lacked most often; None where not published."""
    counted = {
        metric: context.world.metric(key, metric).sum(over.start, over.end) for metric in THROTTLE_REASONS
    }
    most = max(counted, key=lambda metric: counted[metric])
    if not counted[most]:
        return None
    told = [
        f"{THROTTLE_REASONS[metric][0]} {count:,.0f}"
        for metric, count in sorted(counted.items(), key=lambda pair: -pair[1])
        if count
    ]
    name, words = THROTTLE_REASONS[most]
    return Limit(f"{name} of its environments", f": {words} ({', '.join(told)})", ())


def _reserved(context: EvaluationContext, key: Key, reserved: int) -> Limit:
    """Return the function's own limit, noting a queue whose configuration may ask for more than that."""
    for mapping in context.world.mappings_of(key):
        if mapping.enabled and mapping.max_concurrency and mapping.max_concurrency > reserved:
            words = f" by its own trigger: MaximumConcurrency {mapping.max_concurrency} > reserved {reserved}"
            return Limit("self-inflicted", words, ("tune_trigger", "cap_concurrency"), (), reserved)
    words = f" by its reserved concurrency {reserved}"
    return Limit("reserved", words, ("restore_concurrency", "cap_concurrency"), (), reserved)


def _pool(context: EvaluationContext, victim: Key, limit: int, claimed: float, over: Window) -> Limit:
    """Return the account's exhausted pool, with the function that uses most of it as the cause."""
    gone = f"the account's {limit} are used up"
    if claimed < limit:
        gone = f"{claimed:.0f} of the account's {limit} are used"
    used = []
    for key in context.world.functions:
        if key.scope != victim.scope or context.world.reserved_of(key) is not None:
            continue
        most = context.world.metric(key, "ConcurrentExecutions", "Maximum").max(over.start - 600, over.end)
        used.append((most or 0.0, key))
    ranked = [(most, key) for most, key in sorted(used, key=lambda p: (-p[0], p[1])) if most > 0]
    others = [most for most, _ in ranked[1:]]
    if others and ranked[0][0] < HOG * sum(others) / len(others):
        words = f": {gone} by {len(ranked)} functions alike"
        return Limit("account pool", words, ("cap_concurrency",), (), limit)
    top = tuple(key for _, key in ranked[:CONSUMERS])
    hog = f"; {top[0].id} takes most of it" if top and top[0] != victim else ""
    words = f": {gone}{hog}"
    return Limit("account pool", words, ("cap_concurrency", "throttle_to_zero"), top, limit)


def _rate(context: EvaluationContext, key: Key, over: Window, cap: int | None) -> Limit | None:
    """Return a rate limit; one-minute figures show one only when it is exceeded by far."""
    world = context.world
    runs = world.metric(key, "Invocations").window(over.start, over.end)
    total = sum(runs)
    mean_ms = world.metric(key, "Duration").sum(over.start, over.end) / total if total else None
    fastest = max(runs, default=0.0) / 60
    if cap and mean_ms is not None and mean_ms < SHORT_MS and fastest >= REQUESTS_PER_ENVIRONMENT * cap:
        words = f" by its request rate: {fastest:.0f}/s of {REQUESTS_PER_ENVIRONMENT * cap}/s"
        return Limit("request rate", words, ("cap_concurrency",), (), REQUESTS_PER_ENVIRONMENT * cap)
    levels = world.metric(key, "ConcurrentExecutions", "Maximum").window(over.start, over.end)
    step = max((b - a for a, b in pairwise(levels)), default=0.0)
    if step > SCALING_PER_10_S and (cap is None or max(levels) < cap):
        sure = step >= REFILL_PER_MIN * SCALING_PER_10_S
        words = f" by the scaling rate: +{step:.0f} environments within a minute"
        if not sure:
            words = f", perhaps by the scaling rate: +{step:.0f} environments within a minute, 1,000 in 10 s"
        return Limit("scaling rate", words, ("cap_concurrency",) if sure else (), (), SCALING_PER_10_S)
    return None


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=110,
    says="invocations are throttled, and by which limit",
    formula=(
        "Throttles / (Throttles + Invocations) over {window_min} final minutes, and which limit was "
        "reached; in younger minutes that are published a throttle is a warning, whatever its share"
    ),
    source=(
        "AWS/Lambda Throttles, Invocations, Duration, ConcurrentExecutions, ClaimedAccountConcurrency; on "
        "managed instances CPUThrottles, MemoryThrottles, DiskThrottles, ConcurrencyThrottles"
    ),
    traps="async throttles repeat the same event; reserved concurrency 0 is set on purpose",
    suggests=SUGGESTS,
)
