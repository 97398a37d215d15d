"""throttled: invocations are refused, with the limit that bites (telemetry D13, §8.3)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.function import FunctionFacts, Reserved
from lambdatop.domain.rates import Window
from lambdatop.domain.sight import Sight
from lambdatop.domain.world import World

NAME = "throttled"
FORMULA = "Throttles / (Throttles + Invocations) over 5 final minutes"
SOURCE = (
    "AWS/Lambda Throttles, Invocations, ConcurrentExecutions, ClaimedAccountConcurrency; reserved concurrency"
)
TRAPS = "async throttles repeat the same event; reserved concurrency 0 is somebody's will"
SUGGESTS = ("restore_concurrency", "cap_concurrency")


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per throttled function; one at zero on purpose is information, not an alarm."""
    world, now = sight.world, sight.now
    limits = sight.limits.throttled
    for key, facts in world.functions.items():
        over = sight.window(key, limits.window_min)
        throttles = world.metric(key, "Throttles").sum(over.start, over.end)
        reserved = world.reserved.get(key)
        if throttles <= 0 and reserved != 0:
            continue
        invocations = world.metric(key, "Invocations").sum(over.start, over.end)
        share = throttles / (throttles + invocations) if throttles else 0.0
        limit, title = _limit(world, facts, reserved, over)
        severity: Severity = "critical" if share >= limits.critical_share else "warning"
        evidence: list[tuple[str, float | int | str | None]] = [
            ("throttles", throttles),
            ("invocations", invocations),
            ("throttled_share", round(share, 4)),
            ("limit", limit),
            ("reserved_concurrency", reserved),
            ("window_min", over.minutes),
        ]
        yield Finding(
            NAME,
            "info" if reserved == 0 else severity,
            Ref(key, facts.arn, facts.name),
            title,
            now,
            tuple(evidence),
            ("restore_concurrency",) if reserved == 0 else ("cap_concurrency",),
        )


def _limit(world: World, facts: FunctionFacts, reserved: Reserved, over: Window) -> tuple[str, str]:
    if reserved == 0:
        return "disabled on purpose", f"{facts.name} is throttled to zero"
    used = world.metric(facts.key, "ConcurrentExecutions", "Maximum").max(over.start, over.end)
    if reserved is not None and used is not None and used >= reserved:
        return "reserved", f"{facts.name} is throttled by its reserved concurrency {reserved}"
    account = world.accounts.get(facts.key.scope)
    if account is not None:
        name = facts.key._replace(kind="account", id=facts.key.scope.account)
        claimed = world.metric(name, "ClaimedAccountConcurrency", "Maximum").max(over.start, over.end)
        if claimed is not None and claimed >= account.concurrency_limit:
            limit = account.concurrency_limit
            return "account pool", f"{facts.name} is throttled: the account's {limit} are used up"
    return "unknown", f"{facts.name} is throttled, by which limit is not visible"
