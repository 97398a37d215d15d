"""error_rate: a function fails more often than its volume excuses."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.sight import Sight

NAME = "error_rate"
FORMULA = "Errors / Invocations over 5 final minutes, with at least 20 invocations"
SOURCE = "AWS/Lambda Errors, Invocations"
TRAPS = "a missing Errors point is a zero only where Invocations has one; a minute younger than the timeout"
SUGGESTS = ("disable_trigger", "throttle_to_zero")


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per function above the threshold."""
    world, now = sight.world, sight.now
    limits = sight.limits.error_rate
    for key, facts in world.functions.items():
        over = sight.window(key, limits.window_min)
        invocations = world.metric(key, "Invocations").sum(over.start, over.end)
        if invocations < limits.min_invocations:
            continue
        errors = world.metric(key, "Errors").sum(over.start, over.end)
        rate = errors / invocations
        if rate < limits.warning:
            continue
        severity: Severity = "critical" if rate >= limits.critical else "warning"
        fed = any(m.enabled for m in world.mappings_of(key))
        yield Finding(
            NAME,
            severity,
            Ref(key, facts.arn, facts.name),
            f"{facts.name} fails in {rate:.0%} of invocations",
            now,
            (
                ("errors", errors),
                ("invocations", invocations),
                ("error_rate", round(rate, 4)),
                ("window_min", over.minutes),
            ),
            ("disable_trigger", "throttle_to_zero") if fed else ("throttle_to_zero",),
        )
