"""Say what a snapshot could not read, for tables, reports and checks. Pure.

A table without rows says "none" only where its sources have answered.
"""

from __future__ import annotations

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap, Reason, reason_words
from lambdatop.domain.keys import Key
from lambdatop.domain.sources import CAPACITY_PROVIDERS, MAPPINGS, METRICS, SOURCES, TRIGGERS, SourceSpec
from lambdatop.domain.state.snapshot import DETECTORS, Snapshot, SourceRow
from lambdatop.report.text import numbers as figures
from lambdatop.report.text.table import Row

HEAD = ("SOURCE", "MISSING ACTION", "OF WHAT", "WHY")
EVERYTHING = "everything"

FINDINGS_REST_ON = frozenset({*(name for name, spec in SOURCES.items() if spec.findings), DETECTORS})
"""Sources without which a finding may be missing, of any severity: each of them feeds a detector whose worst
is critical (loops need `triggers` and `wiring`, expiring records `streams`, an account's burn `history`)."""


def rows(snapshot: Snapshot) -> list[Row]:
    """Return the sources that are not well, then single reads, as `HEAD`."""
    found = [_of_source(s) for s in snapshot.sources if s.state != "ok" or s.error]
    return [*found, *gap_rows(snapshot)]


def gap_rows(snapshot: Snapshot) -> list[Row]:
    """Return single reads that brought nothing or were not made, as `HEAD`."""
    return [_of_gap(gap) for gap in snapshot.gaps]


def empty(snapshot: Snapshot, *sources: SourceSpec) -> str:
    """Return what replaces a table without rows that is made of these sources."""
    names = {source.name for source in sources}
    never = _never(snapshot, *sources)
    if never:
        return f"not known ({'; '.join(never)})"
    partly = any(gap.source in names for gap in snapshot.gaps)
    return "none that was read, but not everything was (see what was not seen)" if partly else "none"


def no_mappings(snapshot: Snapshot) -> str:
    """Return what replaces the event source mappings of a function that has none, in a console."""
    return "not read yet" if _starting(snapshot, MAPPINGS) else empty(snapshot, MAPPINGS)


def callers(snapshot: Snapshot, function: str) -> str:
    """Return why not everybody who invokes a function by its policy is known, "" where nothing is missing."""
    if _starting(snapshot, TRIGGERS):
        return "not read yet"
    gaps = (gap for gap in snapshot.gaps if gap.source == TRIGGERS.name and gap.target == function)
    return "; ".join(_never(snapshot, TRIGGERS) or [gap.not_known.why for gap in gaps])


def capacity_provider(snapshot: Snapshot, facts: FunctionFacts) -> str:
    """Return the state of the capacity provider of a function and its limit, or why they are not known."""
    found = snapshot.capacity_providers.get(
        Key(facts.key.scope, "capacity provider", facts.capacity_provider)
    )
    if found is not None:
        return found[1].words
    if _starting(snapshot, CAPACITY_PROVIDERS):
        return "not read yet"
    never = _never(snapshot, CAPACITY_PROVIDERS)
    return f"not known ({never[0]})" if never else "not listed in this account and region"


def no_metrics(snapshot: Snapshot) -> str:
    """Return what replaces the figures of a function that has none, in a console."""
    never = _never(snapshot, METRICS)
    return "no metrics yet" if not never or _starting(snapshot, METRICS) else f"not known ({never[0]})"


def _never(snapshot: Snapshot, *sources: SourceSpec) -> list[str]:
    """Return the sources that have never answered, and why."""
    names = {source.name for source in sources}
    return [short(s) for s in snapshot.sources if s.name in names and s.age_s is None]


def _starting(snapshot: Snapshot, source: SourceSpec) -> bool:
    return any(s.name == source.name and s.state == "starting" for s in snapshot.sources)


def no_findings(snapshot: Snapshot) -> str:
    """Return what replaces the findings where there are none."""
    return "none, but not everything was read (see what was not seen)" if blind(snapshot, "info") else "none"


def blind(snapshot: Snapshot, severity: str) -> list[str]:
    """Return why a finding of this severity or a worse one may be missing, one entry a cause.

    [] for no reason.
    """
    needed = (s for s in snapshot.sources if s.name in FINDINGS_REST_ON)
    causes = [short(s) for s in needed if s.age_s is None or s.state == "denied"]
    counted: dict[tuple[str, Reason], int] = {}
    for gap in snapshot.gaps:
        source = SOURCES.get(gap.source)
        if gap.source in FINDINGS_REST_ON and (source is None or source.may_hide(gap.action, severity)):
            kind = gap.action or gap.source, gap.reason
            counted[kind] = counted.get(kind, 0) + gap.targets
    causes += [f"{action} {reason_words(reason)} ({n})" for (action, reason), n in counted.items()]
    return list(dict.fromkeys(causes))


def why_undecided(snapshot: Snapshot, severity: str) -> str:
    """Return why reads do not suffice for `--fail-on` to pass, and what may help; "" when they do."""
    causes = blind(snapshot, severity)
    if not causes:
        return ""
    reasons = {gap.reason for gap in snapshot.gaps} | {s.state for s in snapshot.sources}
    help_ = [
        words
        for words, of in (
            ("a longer --wait", {"out of time", "starting", "throttled"}),
            ("a larger limits.budget_usd_per_hour or limits.log_tails", {"over the limit"}),
            ("the permissions of `lambdatop policy read-only`", {"denied"}),
        )
        if reasons & of
    ]
    advice = f". What may help: {', '.join(help_)}" if help_ else ""
    worse = "" if severity == "critical" else " or worse"
    return f"cannot tell whether anything is {severity}{worse}: {'; '.join(causes)}{advice}."


def short(source: SourceRow) -> str:
    """Return `lambda:ListFunctions denied`, `metrics did not answer in time`."""
    if source.state in ("starting", "stale"):
        return f"{source.name} did not answer in time"
    return f"{source.action or source.name} {source.state}"


def _of_source(source: SourceRow) -> Row:
    state = "no answer in time" if source.state == "starting" else source.state
    since = "" if source.age_s is None else f" (last answer {figures.age(source.age_s)} before)"
    words = f"{state}{since}: {source.error}" if source.error else f"{state}{since}"
    return (source.name, source.action or figures.UNKNOWN, EVERYTHING, words)


def _of_gap(gap: Gap) -> Row:
    return (
        gap.source,
        gap.action or figures.UNKNOWN,
        gap.target or f"{gap.targets:,} of them",
        reason_words(gap.reason),
    )
