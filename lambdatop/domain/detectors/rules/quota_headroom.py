"""Detect quota_headroom: a limit is nearly reached, or will be soon."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lambdatop.domain.detectors.spec import DetectorSpec
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import SEVERITIES, Finding, Ref, Severity
from lambdatop.domain.quotas.account import CONCURRENCY_ROW, POOL_ROW
from lambdatop.domain.quotas.functions import unused_reservations
from lambdatop.domain.quotas.rows import quota_rows
from lambdatop.domain.quotas.scope_view import view
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.units import about

NAME = "quota_headroom"
SUGGESTS = ("cap_concurrency", "restore_concurrency", "tune_trigger")

LEAST_OWN = 10
"""A smaller cap of a function's own is reached by single executions: that is its purpose."""

POOL_FREE = 0.5
"""With less of the unreserved pool in use, it is reservations that fill the account, not traffic."""

NAMED = 3
SPOKEN_OF_ELSEWHERE = ("timeout of ", "/tmp of ", "file descriptors of ", "synchronous payload of ")
"""Rows that have detectors of their own: near_timeout and resource_limit."""


def detect(context: EvaluationContext) -> Iterator[Finding]:
    """Yield one finding per limit of the account, and per function the worst of its own limits."""
    rows = context.quotas
    if rows is None:
        rows = quota_rows(context.world, context.now, context.settings)
    shares = ((r.target.scope, r.share) for r in rows if r.name == POOL_ROW and r.target is not None)
    pools = {scope: share for scope, share in shares if share is not None}
    worst: dict[Key, tuple[Severity, QuotaRow]] = {}
    for row in rows:
        if row.target is None or row.name == POOL_ROW or row.name.startswith(SPOKEN_OF_ELSEWHERE):
            continue
        if row.share is None:  # what is used is not known, which is neither near nor far
            continue
        pool = pools.get(row.target.scope, 1.0) if row.name == CONCURRENCY_ROW else 1.0
        severity = _severity(context, row, row.target, row.share, pool)
        known = worst.get(row.target)
        if severity and (known is None or SEVERITIES.index(severity) > SEVERITIES.index(known[0])):
            worst[row.target] = (severity, row)
    for target, (severity, row) in worst.items():
        yield _finding(context, target, severity, row)


def _severity(
    context: EvaluationContext, row: QuotaRow, target: Key, share: float, pool: float
) -> Severity | None:
    limits = context.limits.quota_headroom
    near = share >= context.limit(NAME, target, limits.warning_share)
    full = share >= context.limit(NAME, target, limits.critical_share, "critical")
    if row.fixed:
        return _fixed(row, near, full)
    soon = _soon(context, row, share)
    if row.own:
        if row.limit < LEAST_OWN:
            return None
        return "warning" if soon and not full else "info" if full else None
    if row.name == CONCURRENCY_ROW and pool < POOL_FREE:
        return "info" if near else None
    return "critical" if full or soon else "warning" if near else None


def _fixed(row: QuotaRow, near: bool, full: bool) -> Severity | None:
    """Return the severity of a static limit, which stops a deployment at most.

    None for harmless ones (all layers used).
    """
    if not near:
        return None
    return "warning" if full and row.unit != "layers" else "info"


def _soon(context: EvaluationContext, row: QuotaRow, share: float) -> bool:
    """Return whether it may run out within minutes, by a trend of sufficient confidence."""
    limits = context.limits.quota_headroom
    if row.exhausted_range_s is None or row.confidence == "low" or share < limits.min_share:
        return False
    return row.exhausted_range_s[0] < limits.critical_left_s


def _finding(context: EvaluationContext, target: Key, severity: Severity, row: QuotaRow) -> Finding:
    limits = context.limits.quota_headroom
    soonest, latest = row.exhausted_range_s or (None, None)
    idle = _idle(context, target) if row.name == CONCURRENCY_ROW else ()
    released = sum(reserved - used for _, reserved, used in idle)
    return Finding(
        NAME,
        severity,
        _ref(context, target, row),
        _title(row),
        context.now,
        (
            ("quota", row.name),
            ("used", _plain(row.used)),
            ("limit", _plain(row.limit)),
            ("headroom", _plain(row.headroom)),
            ("unit", row.unit),
            ("share", None if row.share is None else round(row.share, 4)),
            ("growth_per_min", None if row.trend_per_min is None else round(row.trend_per_min, 2)),
            ("soonest_exhausted_s", None if soonest is None else round(soonest)),
            ("latest_exhausted_s", None if latest is None or math.isinf(latest) else round(latest)),
            ("confidence", row.confidence or None),
            ("top_consumers", ", ".join(f"{n} {_plain(v)}" for n, v in row.consumers[:NAMED]) or None),
            ("stack", ", ".join(f"{n} {_plain(v)}" for n, v in row.stack) or None),
            (
                "unused_reservations",
                ", ".join(f"{k.id} {n} (used {u:.0f})" for k, n, u in idle[:NAMED]) or None,
            ),
            ("released_by_these", _plain(released) if idle else None),
            ("first_throttled", row.first_throttled or None),
            ("limit_source", "documented default, assumed" if row.assumed else row.source),
            ("window_min", limits.window_min),
        ),
        _suggests(row, bool(idle)),
        _formula(row),
        (row.top,) if row.top is not None and row.top != target else (),
        row.top if row.top is not None and row.top != target and not row.fixed else None,
    )


def _idle(context: EvaluationContext, target: Key) -> tuple[tuple[Key, int, float], ...]:
    at = view(context.world, target.scope, context.now, context.settings)
    return unused_reservations(at, context.limits.quota_headroom.idle_share)


def _suggests(row: QuotaRow, idle: bool) -> tuple[str, ...]:
    """Return suggestions that free headroom: concurrency only.

    Storage and counts cannot be freed by a mitigation.
    """
    if row.fixed or row.unit not in ("environments", "requests/s") or row.name == "Lambda API rate":
        return ()
    if row.own:
        by_trigger = row.name.startswith("mapping ")
        return ("tune_trigger",) if by_trigger else ("restore_concurrency",)
    return ("cap_concurrency", "restore_concurrency") if idle else ("cap_concurrency",)


def _ref(context: EvaluationContext, target: Key, row: QuotaRow) -> Ref:
    facts = context.world.functions.get(target)
    if facts is not None:
        return Ref(target, facts.arn, facts.name)
    queue = context.world.queues.get(target)
    if queue is not None:
        return Ref(target, queue.facts.arn, queue.facts.name)
    mapping = context.world.mappings.get(target)
    if mapping is not None:
        return Ref(target, mapping.uuid, mapping.label)
    return Ref(target, "", row.name)


def _title(row: QuotaRow) -> str:
    assumed = " (limit assumed)" if row.assumed else ""
    title = (
        f"{row.name}: {_plain(row.used)} of {_plain(row.limit)} {row.unit}{assumed}, {row.share or 0.0:.0%}"
    )
    if row.name == CONCURRENCY_ROW and row.consumers:
        name, taken = row.consumers[0]
        title += f"; {name} takes {_plain(taken)}"
    if row.exhausted_range_s is None or (row.headroom or 0.0) <= 0:
        return title
    return f"{title}; full in {span_words(row.exhausted_range_s)}"


def span_words(range_s: tuple[float, float]) -> str:
    """Return a range of times as words: "12 to 40 min", "50 min to 3 h", "12 min at the soonest"."""
    soonest, latest = about(range_s[0]), "" if math.isinf(range_s[1]) else about(range_s[1])
    if not latest:
        return f"{soonest} at the soonest"
    if soonest == latest:
        return soonest
    both_minutes = soonest.endswith(" min") and latest.endswith(" min") and " h " not in soonest + latest
    return f"{soonest.removesuffix(' min') if both_minutes else soonest} to {latest}"


def _formula(row: QuotaRow) -> str:
    words = f"{_plain(row.used)} / {_plain(row.limit)} {row.unit} = {row.share or 0.0:.1%}"
    if row.trend_per_min is None:
        return words
    if row.exhausted_range_s is None or (row.headroom or 0.0) <= 0:
        return f"{words}; {row.trend_per_min:+.1f} per min"
    left = f"{_plain(row.headroom)} left / {row.trend_per_min:+.1f} per min"
    return f"{words}; {left} = {about(row.exhausted_in_s or 0)} ({span_words(row.exhausted_range_s)})"


def _plain(value: float | None) -> float | int | None:
    """Return a figure without a needless fraction."""
    if value is None:
        return None
    return int(value) if value == int(value) else round(value, 2)


SPEC = DetectorSpec(
    name=NAME,
    detect=detect,
    causal=100,
    says="a limit is nearly reached, or will be soon",
    formula=(
        "used / limit, concurrency by ClaimedAccountConcurrency; or the soonest end of (limit - used) / "
        "growth per minute, by Theil and Sen over {window_min} final minutes, quartiles of the slopes as "
        "its range"
    ),
    source=(
        "GetAccountSettings, Service Quotas (else documented limits, marked as assumed), CloudWatch, lists"
    ),
    traps=(
        "a trend of minutes says nothing of the next deployment or the daily rhythm; reservations count"
        " whole, used or not; a function's own cap is its owner's will and stays information unless it "
        "fills up; figures per minute hide what happens within one; an assumed limit may have been "
        "raised"
    ),
    suggests=SUGGESTS,
)
