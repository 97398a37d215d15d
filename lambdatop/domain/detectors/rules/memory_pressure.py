"""Detect memory_pressure: a function needs nearly all of its memory, or more."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.memory_sizes import RunSizes, past_sizes
from lambdatop.domain.log_analysis.digest import Failed, Reported, digest, reported_twice
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.plans.finding import Finding, Ref, Severity

NAME = "memory_pressure"
SUGGESTS = ("rollback_alias", "tune_trigger", "disable_trigger", "throttle_to_zero")

FILLS_MEMORY = ("java", "nodejs")


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per function whose log tail shows usage above the threshold or an OOM kill."""
    limits = context.limits.memory_pressure
    since = context.log_since(limits.window_min)
    for key, tail in context.world.logs.items():
        facts = context.world.functions.get(key)
        if facts is None:
            continue
        seen = digest(tail).since(since)
        twice = reported_twice(seen)
        died = [f for f in seen.failures if f.signature == "out_of_memory"]
        killed = [f for f in died if (f.at, f.stream, f.request_id) not in twice]
        honest = [r for r in seen.reports if (r.at, r.stream, r.request_id) not in twice]
        forged = bool(died) and not killed
        past = past_sizes(facts, honest)
        sizes = RunSizes(honest if died else ())
        killed = [f for f in killed if sizes.of(f) not in past]
        shares = [
            (share, r) for r in honest if (share := _share(r)) is not None and r.report.memory_mb not in past
        ]
        limit = context.limit(NAME, key, limits.warning_share)
        p90 = _p90([share for share, _ in shares])
        enough = len(shares) >= limits.min_reports and p90 is not None and p90 >= limit
        if killed or enough:
            tight = [r for share, r in shares if share >= limit]
            yield _finding(context, facts, [r for _, r in shares], tight, killed, p90, limit)
        elif forged:
            yield _strange(context, facts, died)


def _strange(context: EvaluationContext, facts: FunctionFacts, died: list[Failed]) -> Finding:
    """Return an information-level finding for memory reports that the function itself may have printed."""
    window_min = context.limits.memory_pressure.window_min
    return Finding(
        NAME,
        "warning",
        Ref(facts.key, facts.arn, facts.name),
        f"{facts.name}: suspicious REPORT lines say that it ran out of memory",
        min(f.at for f in died),
        (
            ("out_of_memory", 0),
            ("suspicious_reports", len(died)),
            ("memory_configured_mb", or_none(facts.memory_mb)),
            ("runtime", facts.runtime or None),
            ("sample", redact(died[-1].text.split("\n", 1)[0])[0][:200]),
            ("window_min", window_min),
        ),
        (),
        f"several REPORT lines for one START, as only the code itself can print them, over {window_min} min",
    )


def _share(reported: Reported) -> float | None:
    used, size = reported.report.max_memory_mb, reported.report.memory_mb
    return used / size if used is not None and size else None


def _p90(shares: list[float]) -> float | None:
    """Return the share that nine of ten reports do not exceed (nearest rank)."""
    return sorted(shares)[ceil(0.9 * len(shares)) - 1] if shares else None


def _finding(
    context: EvaluationContext,
    facts: FunctionFacts,
    reports: list[Reported],
    tight: list[Reported],
    killed: list[Failed],
    p90: float | None,
    limit: float,
) -> Finding:
    window_min = context.limits.memory_pressure.window_min
    used = max((r.report.max_memory_mb or 0.0 for r in reports), default=None)
    ran = RunSizes(reports if killed else ())
    of_killed = [size for f in killed if (size := ran.of(f))]
    sizes = of_killed or [r.report.memory_mb or 0.0 for r in reports]
    size = max(sizes, default=float(or_none(facts.memory_mb) or 0))
    executions = len({f.request_id or f"{f.stream} {f.at}" for f in killed})
    by_design = facts.runtime.startswith(FILLS_MEMORY)
    severity: Severity = "critical" if killed else "info" if by_design else "warning"
    if killed:
        times = "once" if executions == 1 else f"{executions} times"
        title = f"{facts.name} ran out of memory {times}" + (f" ({size:.0f} MB)" if size else "")
        formula = f"{executions} executions out of memory >= 1 over {window_min} min"
    else:
        title = f"{facts.name} uses {p90 or 0.0:.0%} of its {size:.0f} MB"
        formula = f"p90 of {len(reports)} reports = {p90 or 0.0:.0%} >= {limit:.0%} over {window_min} min"
    fed = any(m.enabled for m in context.world.mappings_of(facts.key))
    return Finding(
        NAME,
        severity,
        Ref(facts.key, facts.arn, facts.name),
        title,
        min([f.at for f in killed] or [r.at for r in tight]),
        (
            ("out_of_memory", executions),
            ("reports", len(reports)),
            ("memory_p90_share", None if p90 is None else round(p90, 4)),
            ("max_memory_used_mb", used),
            ("memory_size_mb", size),
            ("runtime", facts.runtime or None),
            ("sample", redact(killed[-1].text.split("\n", 1)[0])[0][:200] if killed else None),
            ("window_min", window_min),
        ),
        SUGGESTS if fed else ("rollback_alias", "throttle_to_zero"),
        formula,
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=60,
    says="a function needs nearly all of its memory, or more",
    formula=(
        "p90 of max memory used / memory size over the REPORT lines of the last {window_min} min, at least "
        "{min_reports} of them; or one that ran out of memory"
    ),
    source=(
        "log tail: REPORT or platform.report, Runtime.OutOfMemory, signal: killed; no metric of AWS/Lambda "
        "carries it"
    ),
    traps=(
        "JVM and Node fill their memory by design (info unless one ran out of it); an environment "
        "reports the most it ever used, so one big request marks all that follow in it; code can print "
        "REPORT lines itself: several for one START are only called suspicious; a logger's line may quote "
        "another process: it counts only where its execution used 90 % of the memory, or none is told"
    ),
    suggests=SUGGESTS,
)
