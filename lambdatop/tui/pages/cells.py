"""Make cells and lines that several panes or pages share. Pure."""

from __future__ import annotations

from lambdatop.domain.state.snapshot import FunctionRow, StormRow
from lambdatop.tui.frame import Frame
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans

ZERO = spans(("0", "faint"))


def figure(value: float | None, text: str, slot: str = "", after: str = "") -> Spans:
    """Return a number: unknown and zero are dimmed, anything else may carry a severity."""
    if value is None:
        return spans((fmt.UNKNOWN, "faint"), " " * len(after))
    if value == 0:
        return spans(("0", "faint"), (after, "faint")) if after else ZERO
    return (Span(text, slot), Span(after, slot or "muted")) if after else (Span(text, slot),)


def level(share: float | None, warning: float, critical: float) -> str:
    """Return the severity of a figure by the thresholds of the detector that judges it."""
    if share is None or share < warning:
        return ""
    return "critical" if share >= critical else "warning"


def limit_level(share: float | None, frame: Frame) -> str:
    """Return the severity of a share of a limit."""
    limits = frame.settings.detectors.quota_headroom
    return level(share, limits.warning_share, limits.critical_share)


def timeout_level(share: float | None, frame: Frame) -> str:
    """Return the severity of a duration as a share of the timeout."""
    limits = frame.settings.detectors.near_timeout
    return level(share, limits.warning_share, limits.critical_share)


def titled(title: str, note: str = "") -> list[Span]:
    """Return the line above a part of a page, after an empty one."""
    return [Span(f"\n{title}", "accent"), Span(f"  {note}" if note else "", "muted"), Span("\n")]


def iterator_age(row: FunctionRow | StormRow) -> Spans:
    """Return the age of the oldest record of a stream, nothing where there is no stream."""
    if row.iterator_age_ms is None:
        return ()
    return figure(row.iterator_age_ms, fmt.age(row.iterator_age_ms / 1000))


def aged(seconds: float | None) -> Spans:
    """Return an age in a row."""
    return spans((fmt.coarse_age(seconds), "faint"))


def cap(row: FunctionRow, frame: Frame, known: bool = True) -> Spans:
    """Return concurrency against its cap.

    `12/50`, `0/0!` when throttled to zero, a dash without a reservation.
    """
    used = fmt.number(row.concurrency_max)
    if not row.reserved_known:
        return spans((used, "" if row.concurrency_max else "faint"), ("/?", "faint"))
    slot = "" if known else "stale"
    if row.reserved is None:
        return spans((used, slot if row.concurrency_max else "faint"), (f"/{fmt.UNKNOWN}", slot or "faint"))
    if row.reserved == 0:
        return spans((used, slot or "muted"), ("/0!", slot or "critical"))
    share = (row.concurrency_max or 0.0) / row.reserved
    return spans((f"{used}/{row.reserved:,}", slot or limit_level(share, frame)))


def timeout_share(row: FunctionRow) -> float | None:
    """Return the longest duration as a share of the timeout."""
    if row.duration_max_ms is None or not row.facts.longest_run_s:
        return None
    return row.duration_max_ms / (row.facts.longest_run_s * 1000)
