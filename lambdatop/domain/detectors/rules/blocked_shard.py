"""Detect blocked_shard: a batch of a stream fails again and again, and its shard waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.failure_path import end_name, stream_failure_path
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.comparison import against, compared
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window, points_of
from lambdatop.domain.figures.stream_lag import REAL_TIME, Rise, arrived, kept_s, retention_s, rise
from lambdatop.domain.graph.nodes import node
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.units import span

NAME = "blocked_shard"
SUGGESTS = ("disable_trigger", "tune_trigger")
STANDS_STILL = 0.98
"""Share of the clock's pace from which on nothing of a shard moves."""


class Blocked(Struct, frozen=True):
    """A function that does not get past a batch: how its age rises, and the mappings it may be."""

    function: Key
    candidates: tuple[MappingFacts, ...]
    age: Rise
    since: float
    errors: float
    invocations: float
    throttles: float
    window_min: int

    @property
    def lead(self) -> MappingFacts:
        """The first candidate."""
        return self.candidates[0]

    @property
    def why(self) -> str:
        """What makes it a block and no delay."""
        if self.errors:
            share = self.errors / max(self.invocations, 1.0)
            return f"{self.errors:.0f} errors / {self.invocations:.0f} invocations = {share:.2f}"
        return f"{self.throttles:.0f} throttles > 0"


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per stream with a blocked shard.

    Of several blocked consumers the one furthest behind leads.
    """
    streams: dict[Key, list[Blocked]] = defaultdict(list)
    for found in blocked(context):
        streams[_target(found.lead).key].append(found)
    for key in sorted(streams):
        yield _finding(context, sorted(streams[key], key=lambda b: (-b.age.age_ms, b.function)))


def blocked(context: EvaluationContext) -> Iterator[Blocked]:
    """Yield each function that is blocked at one batch."""
    fed: dict[Key, list[MappingFacts]] = defaultdict(list)
    for mapping in context.world.mappings.values():
        if mapping.kind.ages and mapping.enabled:
            fed[mapping.function].append(mapping)
    for function, mappings in fed.items():
        found = _blocked(context, function, sorted(mappings, key=lambda m: m.key.id))
        if found is not None:
            yield found


def _blocked(context: EvaluationContext, function: Key, mappings: list[MappingFacts]) -> Blocked | None:
    world, limits = context.world, context.limits.blocked_shard
    over = context.window(function, limits.window_min)
    bad = [m for m in mappings if m.last_result.startswith("PROBLEM")] or mappings
    least = context.limit(NAME, _target(bad[0]).key, limits.slope_ms_per_min)
    series = world.metric(function, "IteratorAge", "Maximum")
    age = rise(points_of(series, over), least, limits.min_points)
    throttles = world.metric(function, "Throttles").sum(over.start, over.end)
    if age is None and throttles > 0 and not series.window(over.start, over.end):
        # A throttled function is handed no batch, so that it has no age; its stream has one.
        for mapping in bad:
            stream = mapping.source_stream or mapping.key
            series = world.metric(stream, "GetRecords.IteratorAgeMilliseconds", "Maximum")
            age = rise(points_of(series, context.window(stream, limits.window_min)), least, limits.min_points)
            if age is not None:
                bad = [mapping]
                break
    if age is None:
        return None
    lasted = Window(int(age.first), max(over.end, int(age.last) + MINUTE))
    errors = world.metric(function, "Errors").sum(lasted.start, lasted.end)
    runs = world.metric(function, "Invocations").sum(lasted.start, lasted.end)
    throttles = world.metric(function, "Throttles").sum(lasted.start, lasted.end)
    if not (_failing(context, function, bad, lasted, errors, runs, age) or throttles > 0):
        return None
    since = arrived(series, age)
    return Blocked(function, tuple(bad), age, since, errors, runs, throttles, over.minutes)


def _failing(
    context: EvaluationContext,
    function: Key,
    mappings: list[MappingFacts],
    lasted: Window,
    errors: float,
    runs: float,
    age: Rise,
) -> bool:
    """Return whether nearly all runs fail or, where other shards go on, some in each minute with runs."""
    target = _target(mappings[0]).key
    if runs and errors / runs > context.limit(NAME, target, context.limits.blocked_shard.error_share):
        return True
    still = age.slope >= STANDS_STILL * REAL_TIME and age.points >= context.limits.blocked_shard.window_min
    if errors and still:
        return True  # a record that is tried for minutes fails seldom: nothing behind it moves at all
    if not any(_shards(context, m) > 1 or (m.parallelization_factor or 1) > 1 for m in mappings):
        return False
    failed = context.world.metric(function, "Errors")
    series = context.world.metric(function, "Invocations")
    minutes = [t for t in series.times if lasted.start <= t < lasted.end]
    return bool(minutes) and all(failed.sum(t, t + MINUTE) > 0 for t in minutes)


def _shards(context: EvaluationContext, mapping: MappingFacts) -> int:
    stream = context.world.streams.get(mapping.source_stream) if mapping.source_stream else None
    return (stream.shards or 0) if stream else 0


def _target(mapping: MappingFacts) -> Ref:
    return Ref(mapping.source_stream or mapping.key, node(mapping.source_arn), mapping.source_name)


def _finding(context: EvaluationContext, found: list[Blocked]) -> Finding:
    worst = found[0]
    mapping, age, target = worst.lead, worst.age, _target(worst.lead)
    age_s, kept = age.age_ms / 1000, kept_s(context.world, worst.lead)
    limits = context.limits.blocked_shard
    left, critical, deadline = None, False, ""
    if isinstance(kept, NotKnown):
        deadline = f"how long records are kept is {kept.words}"
    else:
        left = max(0.0, kept - age_s)
        critical = age_s / kept > context.limit(NAME, target.key, limits.critical_share, "critical")
        deadline = f"records expire in {span(left)} at the latest"
    severity: Severity = "critical" if critical else "warning"
    names = " and ".join(sorted({b.function.id for b in found}))
    title = f"{target.name} is blocked at {names}, {span(age_s)} behind; {deadline}"
    formula = (
        f"iterator age grows {against(context, age.slope, limits.slope_ms_per_min, 0, what=' ms/min')} "
        f"over {age.points} points; {worst.why}"
    )
    if not isinstance(kept, NotKnown):
        share = age_s / kept
        told = compared(share, "<=", limits.critical_share)
        if critical:
            told = against(context, share, limits.critical_share, sign=">")
        formula += f"; {age_s:.0f} s / {kept} s = {told}"
    mappings = [m.key for b in found for m in b.candidates if _target(m).key == target.key]
    about = dict.fromkeys((*(b.function for b in found), *mappings))
    return Finding(
        NAME,
        severity,
        target,
        title,
        min(b.since for b in found),
        (*_figures(worst, names), *_end_of_block(context, found, mapping, age_s, left)),
        SUGGESTS[:1] if mapping.kind.limits == "never" else SUGGESTS,
        formula,
        tuple(about),
    )


def _figures(worst: Blocked, names: str) -> tuple[tuple[str, float | int | str | None], ...]:
    return (
        ("function", names),
        ("iterator_age_ms", worst.age.age_ms),
        ("slope_ms_per_min", round(worst.age.slope)),
        ("points", worst.age.points),
        ("errors", worst.errors),
        ("invocations", worst.invocations),
        ("throttles", worst.throttles),
        ("window_min", worst.window_min),
    )


def _end_of_block(
    context: EvaluationContext, found: list[Blocked], mapping: MappingFacts, age_s: float, left: float | None
) -> tuple[tuple[str, float | int | str | None], ...]:
    """Return when the block ends by itself, what is lost then, and who else reads the stream."""
    kept = retention_s(context.world, mapping)
    retries, record_age = mapping.max_retry_attempts, mapping.max_record_age_s
    stuck = {b.function for b in found}
    others = {
        m.function.id
        for m in context.world.mappings.values()
        if m.source_arn == mapping.source_arn and m.enabled and m.function not in stuck
    }
    candidates = sorted({m.source_name for m in found[0].candidates})
    return (
        ("retention_s", or_none(kept)),
        ("max_record_age_s", record_age if record_age not in (None, -1) else "infinite"),
        ("expires_in_s", None if left is None else round(left)),
        ("retries", retries if retries not in (None, -1) else "infinite"),
        ("then", stream_failure_path(mapping, kept, age_s)),
        ("on_failure", end_name(mapping.on_failure_arn) if mapping.on_failure_arn else "none"),
        ("shards", _shards(context, mapping) or None),
        ("parallelization_factor", mapping.parallelization_factor or 1),
        ("candidates", ", ".join(candidates) if len(candidates) > 1 else None),
        ("not_affected", ", ".join(sorted(others)) or None),
    )


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=140,
    says="a batch of a stream fails again and again, and its shard waits",
    formula=(
        "slope of IteratorAge.Maximum >= {slope_ms_per_min:.0f} ms/min (real time is 60000) over "
        "{min_points} or more points of {window_min} final minutes, and Errors / Invocations > "
        "{error_share:g} or Throttles > 0; critical beyond {critical_share:g} of the retention"
    ),
    source=(
        "AWS/Lambda IteratorAge, Errors, Invocations, Throttles; AWS/Kinesis "
        "GetRecords.IteratorAgeMilliseconds where a throttled function publishes no age; the stream's "
        "retention (24 h for DynamoDB)"
    ),
    traps=(
        "a replay from TRIM_HORIZON or AT_TIMESTAMP, whose age falls; batching and tumbling windows, "
        "whose age is a saw-tooth; no points while the mapping is disabled; with several shards the "
        "healthy ones dilute the errors, so there an error in each minute of the rise is enough; "
        "several mappings of one function share the metric"
    ),
    suggests=SUGGESTS,
)
