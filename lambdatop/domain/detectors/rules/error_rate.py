"""Detect error_rate: a function's error rate is above the threshold for its volume."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.figures.comparison import against
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.failure_evidence import failure_evidence
from lambdatop.domain.figures.rates import Window, began
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "error_rate"
SUGGESTS = ("disable_trigger", "throttle_to_zero")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function above the threshold."""
    limits = context.limits.error_rate
    for key, facts in context.measured():
        over = context.window(key, limits.window_min)
        invocations = context.world.metric(key, "Invocations").sum(over.start, over.end)
        if not invocations or invocations < context.limit(NAME, key, limits.min_invocations):
            continue
        errors = context.world.metric(key, "Errors").sum(over.start, over.end)
        rate = errors / invocations
        few = errors < context.limit(NAME, key, limits.min_errors)
        if rate >= context.limit(NAME, key, limits.warning) and not few:
            bad = rate >= context.limit(NAME, key, limits.critical, "critical")
            yield _finding(context, facts, over, errors, invocations, "critical" if bad else "warning")


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    over: Window,
    errors: float,
    invocations: float,
    severity: Severity,
) -> Finding:
    limits, rate = context.limits.error_rate, errors / invocations
    threshold = limits.critical if severity == "critical" else limits.warning
    start = began(context.world.metric(facts.key, "Errors"), over.end)
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} fails in {rate:.0%} of invocations",
        float(start) if start is not None else context.now,
        (
            ("errors", errors),
            ("invocations", invocations),
            ("error_rate", round(rate, 4)),
            *(failure_evidence(context, facts.key, over) if facts.key in context.world.logs else ()),
            ("window_min", over.minutes),
        ),
        SUGGESTS if fed else SUGGESTS[1:],
        f"{errors:.0f} errors / {invocations:.0f} invocations = "
        f"{against(context, rate, threshold, 1, '%')} over {over.minutes} min",
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=170,
    says="a function's error rate is above the threshold for its volume",
    formula=(
        "Errors / Invocations over {window_min} final minutes, with at least {min_invocations} invocations "
        "and {min_errors} errors"
    ),
    source="AWS/Lambda Errors, Invocations; log tail for the most frequent failure",
    traps=(
        "a missing Errors point is a zero only where Invocations has one; a minute younger than the timeout"
    ),
    suggests=SUGGESTS,
)
