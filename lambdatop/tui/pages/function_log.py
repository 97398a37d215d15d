"""Write the analysis of a function's log: figures, errors by kind, slow or failed requests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from lambdatop.domain.log_analysis.fingerprints import ErrorKind
from lambdatop.domain.log_analysis.reader import Learned
from lambdatop.domain.log_analysis.requests import FAILED, Request
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.sanitize import clean_line
from lambdatop.tui.pages.cells import titled
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, clip, fit, spans

LABEL, VALUE, GAP = 17, 12, 3
NO_TENANT = "no line of this log names a tenant: only JSON logs do"
REQUESTS = "the requests of this log"
Link = Callable[[str], str]
VIA = {"poll": "by polling", "live tail": "by Live Tail"}
COUNT, AGE = 7, 7


def log_section(
    tail: LogTail | None,
    learned: Learned | None,
    now: float,
    width: int,
    failure: str = "",
    link: Link = lambda trace: "",
) -> Spans:
    """Return the section; a log that was not read, is empty, or was not understood (`failure`) says so.

    `link` makes the address of a trace of X-Ray. `now` in s since the epoch. Rates per hour are per published
    hour, as metrics are.
    """
    if tail is None or learned is None:
        words = "not read yet" if tail is None or not tail.at else "no lines in what has been read"
        if failure:
            return (*titled("log"), *_warned([(failure, "critical")], width))
        return (*titled("log"), *spans((f"{words}\n", "muted")))
    reach = f"{fmt.clock(learned.first_at)} to {fmt.clock(learned.last_at)}"
    note = f"{reach}, {fmt.plural(learned.lines, 'line')} {VIA.get(tail.via, tail.via)}"
    pieces: list[Span] = [*titled("log", note), *_figures(tail, learned, width)]
    if failure:
        pieces += _warned([(failure, "critical")], width)
    pieces += _kinds(learned, now, width)
    pieces += _tenants(learned, width)
    pieces += _requests(learned, width, link)
    return tuple(pieces)


def _figures(tail: LogTail, learned: Learned, width: int) -> Spans:
    figures = learned.figures
    cells = [
        ("cold starts %", fmt.percent(figures.cold_start_share)),
        ("environments", fmt.number(float(figures.environments))),
        ("proactive inits", fmt.number(float(figures.proactive_inits))),
        ("burn $/h exact", _burn(learned)),
        ("reports", fmt.number(float(figures.requests))),
        ("lag", fmt.age(tail.lag_s)),
    ]
    columns = max(1, min(3, width // (LABEL + VALUE + 5)))
    per_column = -(-len(cells) // columns)
    pieces: list[Span] = []
    for line in range(per_column):
        for name, text in cells[line::per_column]:
            pieces += [Span(f"{name:<{LABEL}}", "muted"), *fit(spans(text), VALUE, "right"), Span(" " * GAP)]
        pieces.append(Span("\n"))
    reach = f"{fmt.span(figures.until - figures.since)} to {fmt.clock(figures.until)}"
    lines = [(f"over the {reach}; burn from billed durations, at list price", "muted")]
    lines += [(words, "warning") for words in _reserves(tail, learned)]
    return (*pieces, *_warned(lines, width))


def _warned(lines: Sequence[tuple[str, str]], width: int) -> Iterator[Span]:
    """Yield sentences with their slots, wrapped."""
    for words, slot in lines:
        yield from (Span(f"{line}\n", slot) for line in wrap(words, width))


def _burn(learned: Learned) -> str:
    return fmt.usd_column(learned.exact.usd_per_hour if learned.exact else None)


def _reserves(tail: LogTail, learned: Learned) -> list[str]:
    """Return what the figures do not cover, so that "exact" means what it says."""
    figures, said = learned.figures, []
    if tail.coverage is not None and tail.coverage < 1:
        share = fmt.percent(tail.coverage)
        said.append(f"{share} % of Live Tail's updates whole, the rest is polled: the burn is at least that")
    elif not tail.complete:
        said.append("lines may be missing: the burn is at least that")
    if learned.missed:
        said.append(f"{fmt.plural(learned.missed, 'line')} came too fast to be counted here")
    if figures.unbilled_reports:
        said.append(
            f"{fmt.plural(figures.unbilled_reports, 'report')} of {figures.requests:,} without a billed time"
        )
    return said


def _kinds(learned: Learned, now: float, width: int) -> Spans:
    if not learned.kinds:
        return (*titled("errors by kind"), *spans(("none in this log\n", "muted")))
    pieces = titled("errors by kind", f"{fmt.plural(learned.errors, 'error')} in this log")
    pieces.append(Span(f"{'count':>{COUNT}}{'first':>{AGE}}{'last':>{AGE}}  newest of the kind\n", "muted"))
    for kind in learned.kinds:
        pieces += [
            Span(f"{fmt.number(float(kind.count)):>{COUNT}}"),
            Span(f"{fmt.age(now - kind.first_at):>{AGE}}{fmt.age(now - kind.last_at):>{AGE}}  ", "muted"),
            *_said(kind, width - COUNT - 2 * AGE - 2),
            Span("\n"),
        ]
    return (*pieces, *_more(learned.kind_count - len(learned.kinds), "kind"))


def _said(kind: ErrorKind, width: int) -> Spans:
    """Return the line that says what went wrong, and what is known about it; secrets stay masked."""
    known = kind.signature.replace("_", " ")
    words = clean_line(redact(kind.headline or kind.sample)[0], 400)
    room = width - (len(known) + 2 if known else 0)
    if not known or room < 20:
        return spans(clip(words, max(1, width)))
    return spans((f"{known}  ", "info"), clip(words, room))


def _tenants(learned: Learned, width: int) -> Spans:
    """Return who has the failed requests, for a function with tenant isolation."""
    if not learned.tenants:
        return ()
    named = [t for t in learned.tenants if t.tenant]
    if not named:
        return (*titled("tenants"), *_warned([(NO_TENANT, "muted")], width))
    pieces = titled("tenants", f"{fmt.plural(learned.tenant_count, 'tenant')} in {REQUESTS}")
    pieces.append(Span(f"{'requests':>9}{'failed':>9}{'% of failed':>13}  tenant\n", "muted"))
    for t in learned.tenants:
        share = "" if t.share is None else fmt.percent(t.share)
        pieces += [Span(f"{t.requests:>9,}"), Span(f"{t.failed:>9,}", "warning" if t.failed else "muted")]
        pieces += [
            Span(f"{share:>13}  "),
            Span(clip(t.tenant or "not known", max(1, width - 33))),
            Span("\n"),
        ]
    return (*pieces, *_more(learned.tenant_count - len(learned.tenants), "tenant"))


def _requests(learned: Learned, width: int, link: Link) -> Spans:
    if not learned.requests:
        return ()
    traced = any(r.trace_id for r in learned.requests)
    counts = f"{learned.failed:,} failed, {learned.repeated:,} repeated, {learned.request_count:,} in all"
    pieces = titled("requests", counts)
    unused = {name for name, used in (("trace", traced), ("tenant", bool(learned.tenants))) if not used}
    shown = _columns(width, unused)
    pieces += [Span("".join(f"{c.title:{c.align}{c.cells}}" for c in shown), "muted"), Span("\n")]
    for r in learned.requests:
        for c in shown:
            text, slot = c.cell(r)
            said = Span(text, slot, link(text) if c.title == "trace" and text else "")
            pieces += fit(spans(said), c.cells, "right" if c.align == ">" else "left")
        pieces.append(Span("\n"))
    return (*pieces, *_more(learned.bad_left_out, "failed or repeated request"))


class _Column(NamedTuple):
    """A column of requests; `cell` is its text and slot. When narrow, those with `leaves` go, 1 first."""

    title: str
    cells: int
    align: str
    leaves: int
    cell: Callable[[Request], tuple[str, str]]


def _memory(r: Request) -> str:
    if r.memory_mb is None or r.max_memory_mb is None:
        return fmt.UNKNOWN
    return f"{r.max_memory_mb:,.0f}/{r.memory_mb:,.0f}"


_COLUMNS = (
    _Column("request", 10, "<", 0, lambda r: (r.request_id[:8], "")),
    _Column("status", 9, "<", 0, lambda r: (r.status, "warning" if r.status in FAILED else "muted")),
    _Column("ms", 9, ">", 0, lambda r: (fmt.millis(r.duration_ms), "")),
    _Column("billed", 9, ">", 3, lambda r: (fmt.millis(r.billed_ms), "")),
    _Column("init", 7, ">", 2, lambda r: ("" if r.init_ms is None else fmt.millis(r.init_ms), "")),
    _Column("max MB", 12, ">", 4, lambda r: (_memory(r), "")),
    _Column("retries", 9, ">", 0, lambda r: (f"{r.attempts - 1:,}" if r.attempts > 1 else "", "warning")),
    _Column("  tenant", 18, "<", 5, lambda r: (f"  {r.tenant or 'not known'}", "")),
    _Column("trace", 37, ">", 1, lambda r: (r.trace_id, "muted")),
)


def _columns(width: int, unused: Collection[str] = ()) -> list[_Column]:
    """Return the columns that fit, without those that no request fills."""
    shown = [c for c in _COLUMNS if c.title.strip() not in unused]
    for number in range(1, 6):
        if sum(c.cells for c in shown) > width:
            shown = [c for c in shown if c.leaves != number]
    return shown


def _more(count: int, what: str) -> Spans:
    return spans((f"and {fmt.plural(count, f'more {what}')}\n", "muted")) if count > 0 else ()
