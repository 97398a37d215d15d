"""Detect cold_start_burst: many requests wait for an environment to initialise."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.log_analysis.digest import Digest, Reported, digest
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "cold_start_burst"
SUGGESTS = ("rollback_alias", "tune_trigger", "cap_concurrency")

RAMP = 1.5
"""Traffic that grew by this factor against the window before explains new environments."""
NEWEST_MIN = 2
LONG_MIN = 30
"""Traffic of the newest minutes may just have begun to grow, and that of a morning grows for half an hour."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function with a tail, above the threshold."""
    limits = context.limits.cold_start_burst
    since = context.log_since(limits.window_min)
    for key, tail in context.world.logs.items():
        facts = context.world.functions.get(key)
        if facts is None:
            continue
        whole = digest(tail)
        seen = whole.since(since)
        cold = _waited_for(seen, whole, context.limits.proactive_init.gap_s)
        if len(seen.reports) < limits.min_reports or not cold:
            continue
        share = len(cold) / len(seen.reports)
        limit = context.limit(NAME, key, limits.warning_share)
        if share >= limit:
            yield _finding(context, facts, whole, seen, cold, limit)


def _waited_for(seen: Digest, whole: Digest, gap_s: float) -> list[Reported]:
    """Return the reports of requests that waited for an initialization made right before them."""
    ready_early = {
        e.stream for e in whole.environments if e.start_at and (e.idle_s(e.start_at, 0.0) or 0.0) > gap_s
    }
    return [
        r
        for r in seen.reports
        if (r.report.init_ms is not None or r.report.restore_ms is not None) and r.stream not in ready_early
    ]


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    whole: Digest,
    seen: Digest,
    cold: list[Reported],
    limit: float,
) -> Finding:
    window_min = context.limits.cold_start_burst.window_min
    reports, count = len(seen.reports), len(cold)
    share = count / reports
    why = _explained(context, facts, whole, reports)
    severity: Severity = "info" if why else "warning"
    slowest = max((r.report.init_ms or r.report.restore_ms or 0.0) for r in cold)
    title = f"{facts.name} starts cold in {share:.0%} of requests, up to {slowest:.0f} ms"
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    if why == "deployment":
        suggests: tuple[str, ...] = ("rollback_alias",)
    else:
        suggests = ("tune_trigger", "cap_concurrency") if fed else ("cap_concurrency",)
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{title} ({why})" if why else title,
        cold[0].at,
        (
            ("cold_starts", count),
            ("reports", reports),
            ("cold_share", round(share, 4)),
            ("init_max_ms", round(slowest, 1)),
            ("environments", len({r.stream for r in seen.reports})),
            ("explained_by", why or None),
            ("window_min", window_min),
        ),
        suggests,
        f"{count} cold / {reports} reports = {share:.0%} >= {limit:.0%} over {window_min} min",
    )


def _explained(context: EvaluationContext, facts: FunctionFacts, whole: Digest, reports: int) -> str:
    """Return why new environments are expected.

    "deployment", "environments by tenant", "more traffic", or "" where nothing is known.
    """
    window_min = context.limits.cold_start_burst.window_min
    since, earlier = context.log_since(window_min), context.log_since(2 * window_min)
    # The first requests after a deployment may come a while after it.
    changed = [facts.last_modified or 0.0, *(c.at for c in context.world.changes.get(facts.key, ()))]
    if max(changed) >= earlier:
        return "deployment"
    if facts.per_tenant:
        return "environments by tenant"
    over = context.window(facts.key, window_min)
    invocations = context.world.metric(facts.key, "Invocations")
    long_ago = Window(over.start - LONG_MIN * MINUTE, over.start)
    if invocations.times and invocations.times[0] <= long_ago.start:
        usual = invocations.sum(long_ago.start, long_ago.end) / LONG_MIN
        if invocations.sum(over.start, over.end) >= RAMP * usual * over.minutes > 0:
            return "more traffic"
    if whole.first_at and whole.first_at <= earlier:
        before = float(sum(1 for r in whole.reports if earlier <= r.at < since))
        newest = sum(1 for r in whole.reports if r.at >= context.log_since(NEWEST_MIN))
        grew = reports >= RAMP * before or newest / NEWEST_MIN >= RAMP * before / window_min > 0
        return "more traffic" if grew else ""
    begin = over.start - window_min * MINUTE
    if not invocations.times or invocations.times[0] > begin:
        return ""
    before, now = invocations.sum(begin, over.start), invocations.sum(over.start, over.end)
    return "more traffic" if now > 0 and now >= RAMP * before else ""


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=260,
    says="many requests wait for an environment to initialise",
    formula=(
        "REPORT lines with an Init or Restore Duration, whose request came right after the "
        "initialisation, / REPORT lines of the last {window_min} min, with at least {min_reports} of them"
    ),
    source="log tail: REPORT or platform.report, INIT_START and START of each stream",
    traps=(
        "a deployment starts every environment anew, more traffic needs more environments, and with tenant "
        "isolation each tenant needs environments of its own (all three: info); proactive initialisation and "
        "provisioned concurrency initialise long before the first request and keep nobody waiting (not "
        "counted)"
    ),
    suggests=SUGGESTS,
)
