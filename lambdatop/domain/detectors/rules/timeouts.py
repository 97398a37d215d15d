"""Detect timeouts: invocations that were ended by their timeout, as the log tells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from lambdatop.domain.detectors.rules.near_timeout import suggested
from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against, compared
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.log_analysis.digest import Digest, digest
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "timeouts"
SUGGESTS = ("rollback_alias", "cap_concurrency", "disable_trigger")

SIGNATURE = "timeout"


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose log shows timeouts."""
    limits = context.limits.timeouts
    since = context.log_since(limits.window_min)
    for key, tail in context.world.logs.items():
        facts = context.world.functions.get(key)
        if facts is None or not tail.lines:
            continue
        seen = digest(tail)
        ended = executions(seen)
        late = [at for at in ended if at > since]
        if len(late) >= context.limit(NAME, key, limits.min_timeouts):
            reports = sum(1 for r in seen.reports if r.at > since)
            yield _finding(context, facts, ended, len(late), reports, tail.complete)


def executions(seen: Digest) -> list[float]:
    """Return when each execution that timed out first reported so (s since the epoch), oldest first.

    An execution is a request in an environment after a START of it: a retry keeps the request id, and may run
    in the same environment, but starts anew.
    """
    said = [(f.at, f.request_id, f.stream) for f in seen.failures if f.signature == SIGNATURE]
    said += [(r.at, r.request_id, r.stream) for r in seen.reports if r.report.status == SIGNATURE]
    starts: dict[tuple[str, str], list[float]] = {(request, stream): [] for _, request, stream in said}
    for start in seen.starts if said else ():
        if (start.request_id, start.stream) in starts:
            starts[start.request_id, start.stream].append(start.at)
    first: dict[tuple[str, str, int], float] = {}
    for at, request, stream in sorted(said):
        attempt = bisect_right(starts[request, stream], at)
        first.setdefault((request, stream, attempt), at)
    return sorted(first.values())


def _after(facts: FunctionFacts) -> str:
    """Return ` after 3 s`, "" where the function's timeout is not known."""
    return "" if isinstance(facts.timeout_s, NotKnown) else f" after {facts.timeout_s} s"


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    ended: list[float],
    count: int,
    reports: int,
    complete: bool,
) -> Finding:
    limits = context.limits.timeouts
    # Without reports (their level filtered away) nobody knows how many did not time out.
    share = count / max(reports, count) if reports else None
    bad = share is not None and share >= context.limit(NAME, facts.key, limits.critical_share, "critical")
    severity: Severity = "critical" if bad else "warning"
    part = f", {share:.0%} of its runs" if share is not None else ""
    counted = against(context, count, limits.min_timeouts, 0, what=" timeouts")
    if share is not None:
        told = compared(share, "<", limits.critical_share)
        if bad:
            told = against(context, share, limits.critical_share)
        counted += f"; {count} / {max(reports, count)} reports in the log = {told}"
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name} timed out {count} times{_after(facts)}{part}",
        _since(ended, limits.window_min * MINUTE / context.settings.metrics.times),
        (
            ("timeouts", count),
            ("reports", reports),
            ("timeouts_share", None if share is None else round(share, 4)),
            ("timeout_s", or_none(facts.timeout_s)),
            ("last_at_s", ended[-1]),
            ("log", "complete" if complete else "incomplete: there may be more"),
            ("window_min", limits.window_min),
        ),
        suggested(context, facts.key),
        f"{counted} over {limits.window_min} min",
        (facts.key,),
    )


def _since(ended: list[float], pause_s: float) -> float:
    """Return the first of the timeouts that followed each other without a pause as long as the window."""
    first = ended[-1]
    for at in reversed(ended):
        if first - at > pause_s:
            break
        first = at
    return first


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=80,
    says="invocations that were ended by their timeout, as the log tells",
    formula=(
        "executions that ended by timeout in the log of the last {window_min} minutes, and their share of "
        "all reports"
    ),
    source=(
        "log: `Task timed out after N seconds`, REPORT `Status: timeout`, platform.report and "
        "platform.runtimeDone with status timeout"
    ),
    traps=(
        "no metric counts timeouts; both wordings of one execution count once; a retry with the same "
        "request id is another execution; a tail that is incomplete shows too few; an initialisation "
        "that timed out is none"
    ),
    suggests=SUGGESTS,
)
