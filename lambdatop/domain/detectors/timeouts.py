"""timeouts: invocations that were ended by their timeout, as the log tells (telemetry D12, section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatop.domain.finding import Finding, Ref, Severity
from lambdatop.domain.function import FunctionFacts
from lambdatop.domain.logdigest import digest
from lambdatop.domain.mitigations.words import span
from lambdatop.domain.sight import Sight

NAME = "timeouts"
FORMULA = "requests that ended by timeout in the log of the last 5 minutes, and their share of all reports"
SOURCE = "log: `Task timed out after`, REPORT `Status: timeout`, platform.report status timeout"
TRAPS = "no metric counts timeouts; an incomplete tail shows too few; both wordings of a request count once"
SUGGESTS = ("rollback_alias", "disable_trigger", "throttle_to_zero")

SIGNATURE = "timeout"


def detect(sight: Sight) -> Iterator[Finding]:
    """One finding per function whose log shows timeouts."""
    limits = sight.limits.timeouts
    since = sight.log_since(limits.window_min)
    for key, tail in sight.world.logs.items():
        facts = sight.world.functions.get(key)
        if facts is None or tail.at < since:
            continue
        seen = digest(tail)
        late = [f for f in seen.failures if f.signature == SIGNATURE and f.at >= since]
        requests = {(f.request_id, f.stream) for f in late}
        if len(requests) < sight.limit(NAME, key, limits.min_timeouts):
            continue
        reports = sum(1 for r in seen.reports if r.at >= since)
        first = min(f.at for f in seen.failures if f.signature == SIGNATURE)
        yield _finding(sight, facts, len(requests), max(reports, len(requests)), first, tail.complete)


def _finding(
    sight: Sight, facts: FunctionFacts, count: int, reports: int, first: float, complete: bool
) -> Finding:
    limits, share = sight.limits.timeouts, count / reports
    bad = share >= sight.limit(NAME, facts.key, limits.critical_share, "critical")
    severity: Severity = "critical" if bad else "warning"
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} timed out {count} times after {span(facts.timeout_s)}: {share:.0%} of its runs",
        first,
        (
            ("timeouts", count),
            ("reports", reports),
            ("timeouts_share", round(share, 4)),
            ("timeout_s", facts.timeout_s),
            ("log", "complete" if complete else "incomplete: there may be more"),
            ("window_min", limits.window_min),
        ),
        SUGGESTS,
        f"{count} timeouts / {reports} reports in the log = {share:.1%} over {limits.window_min} min",
    )
