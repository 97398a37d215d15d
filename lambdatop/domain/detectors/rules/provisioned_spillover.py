"""Detect provisioned_spillover: invocations do not find room in provisioned concurrency, and why.

Each environment takes 10 requests a second (Lambda developer guide, "Understanding Lambda function scaling"),
so that short requests spill over while most environments are free.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.quota_limits import REQUESTS_PER_ENVIRONMENT, SPILLOVER, UTILISATION, Provisioned
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import began
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref

NAME = "provisioned_spillover"
SUGGESTS = ("cap_concurrency",)

FULL = 0.95
"""Utilisation from which on the environments themselves are used up."""
BY_RATE = 0.9
"""Part of the rate that the environments take from which on the rate is the reason."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per alias or version whose invocations spill over."""
    for key, (_, found) in context.world.provisioned.items():
        facts = context.world.functions.get(key)
        if facts is not None:
            for one in found:
                yield from _spills(context, facts, one)


def _spills(context: EvaluationContext, facts: FunctionFacts, one: Provisioned) -> Iterator[Finding]:
    limits, world = context.limits.provisioned_spillover, context.world
    alias = Key(facts.key.scope, "alias", f"{facts.key.id}:{one.qualifier}")
    over = context.window(facts.key, limits.window_min)
    spilled = world.metric(alias, SPILLOVER).sum(over.start, over.end)
    served = world.metric(alias, "ProvisionedConcurrencyInvocations").sum(over.start, over.end)
    runs = spilled + served if served else world.metric(facts.key, "Invocations").sum(over.start, over.end)
    share = spilled / runs if runs else 0.0
    if spilled < context.limit(NAME, alias, limits.min_spilled):
        return
    if share < context.limit(NAME, alias, limits.warning_share):
        return
    ready, used = one.available or one.allocated, world.metric(alias, UTILISATION, "Maximum")
    most = used.max(over.start, over.end)
    rate = runs / (60 * over.minutes)
    start = began(world.metric(alias, SPILLOVER), over.end)
    why = _why(one, ready, most, rate)
    yield Finding(
        NAME,
        "warning",
        Ref(alias, f"{facts.arn}:{one.qualifier}", f"{facts.name}:{one.qualifier}"),
        f"{facts.name}:{one.qualifier}: {share:.0%} of invocations find no provisioned environment: {why}",
        float(start) if start is not None else context.now,
        (
            ("spilled_over", spilled),
            ("invocations", runs),
            ("spilled_share", round(share, 4)),
            ("provisioned", ready),
            ("utilisation_max", most),
            ("requests_per_s", round(rate, 1)),
            ("status", one.status or None),
            ("window_min", over.minutes),
        ),
        (),
        f"{spilled:.0f} spilled over / {runs:.0f} = {share:.1%} over {over.minutes} min",
        (facts.key,),
    )


def _why(one: Provisioned, ready: int, most: float | None, rate: float) -> str:
    if one.status not in ("", "READY"):
        return f"{one.allocated} of {one.requested} environments are allocated ({one.status})"
    if most is not None and most >= FULL:
        return f"all {ready} are in use"
    takes = REQUESTS_PER_ENVIRONMENT * ready
    if ready and rate >= BY_RATE * takes:
        return f"{rate:,.0f} requests/s come, {ready} environments take {takes:,} (10/s each)"
    if most is None:
        return "how many are in use is not known"
    return f"at most {most:.0%} of {ready} are in use in a minute; a burst within it is not visible"


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=115,
    says="invocations do not find room in provisioned concurrency",
    formula=(
        "ProvisionedConcurrencySpilloverInvocations / invocations of the alias or version >= "
        "{warning_share:g} over {window_min} final minutes, {min_spilled} of them or more"
    ),
    source=(
        "AWS/Lambda ProvisionedConcurrencySpilloverInvocations, …Invocations, …Utilization by alias or "
        "version; the allocation"
    ),
    traps=(
        "short requests meet the rate of 10/s per environment while most are free; an allocation that is "
        "not done yet"
    ),
    suggests=(),
)
