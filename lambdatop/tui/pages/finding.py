"""Write one finding in full as text. Pure."""

from __future__ import annotations

from textwrap import wrap

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.plans.finding import Finding, Incident
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import HOTKEYS, KEY_OF
from lambdatop.tui.pages.cells import titled
from lambdatop.tui.pages.confirm import row, rows
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import SEVERITY_SLOT, SEVERITY_WORD, Span, Spans, spans


def suggestion(finding: Finding) -> Spans:
    """Return `D disable trigger T throttle to zero`: the suggested mitigations with their keys."""
    pieces: list[Span] = []
    for name in finding.suggests:
        key = KEY_OF.get(name)
        gap = [Span("  ")] if pieces else []
        words = name.replace("_", " ")
        pieces += [*gap, Span(f"{key} ", "accent"), Span(words)] if key else [*gap, Span(words, "muted")]
    return tuple(pieces)


def value_text(name: str, value: float | int | str | None) -> str:
    """Return one piece of evidence: the number in the unit that its name ends with."""
    if isinstance(value, str) or value is None:
        return value or fmt.UNKNOWN
    if name.endswith(("rate", "share")):
        return f"{fmt.percent(value)} %"
    return fmt.ratio(value) if name.endswith("ratio") else fmt.number(value)


HELP_OF = {h.mitigation: h.help for h in HOTKEYS if h.mitigation}
NAME = 31
"""Cells of a label; the longest name of evidence, recursive_invocations_dropped, has 29."""


def page(frame: Frame, finding: Finding, width: int, *, gone: bool = False) -> Spans:
    """Return the whole page; `gone` states that the finding does not stand any more."""
    pieces: list[Span] = []
    if gone:
        pieces += row("", "This finding has cleared: the figures below are its last ones.", width, "ok")
    pieces += row(SEVERITY_WORD[finding.severity], finding.title, width, "", SEVERITY_SLOT[finding.severity])
    pieces += row("since", f"{fmt.moment(finding.since)}  ({fmt.age(frame.now - finding.since)} ago)", width)
    kind = finding.target.key.kind
    pieces += row(kind, finding.target.arn or finding.target.name, width, "muted")
    pieces += _why(finding, frame, width)
    pieces += _evidence(finding, width)
    pieces += _remedies(finding, width)
    pieces += _incident(frame, finding, width)
    return tuple(pieces)


def _why(finding: Finding, frame: Frame, width: int) -> Spans:
    pieces = titled("why")
    if finding.formula:
        pieces += row("now", finding.formula, width)
    known = REGISTRY.get(finding.detector)
    if known is not None:
        pieces += row("rule", known.rule(frame.settings.detectors), width, "muted")
        pieces += row("read from", known.source, width, "muted")
        pieces += rows("could also be", known.traps.split("; "), width, "muted")
    return tuple(pieces)


def _evidence(finding: Finding, width: int) -> Spans:
    pieces = titled("evidence")
    for name, value in finding.evidence:
        lines = wrap(value_text(name, value), max(20, width - NAME), break_on_hyphens=False) or [fmt.UNKNOWN]
        for i, line in enumerate(lines):
            label = name.replace("_", " ") if i == 0 else ""
            pieces += [Span(f"{label:<{NAME - 1}} ", "muted"), Span(f"{line}\n")]
    return tuple(pieces)


def _remedies(finding: Finding, width: int) -> Spans:
    on = finding.remedy.id if finding.remedy else finding.target.name
    pieces = titled("what may help", f"for {on}, best first")
    if not finding.suggests:
        return (*pieces, *spans(("no mitigation applies\n", "muted")))
    for name in finding.suggests:
        key = KEY_OF.get(name)
        words = (
            f"{name.replace('_', ' ')}: {HELP_OF[name]}" if key else f"{name.replace('_', ' ')}: no key yet"
        )
        pieces += row(
            f"  {key or fmt.UNKNOWN}", words, width, "" if key else "muted", "accent" if key else "muted"
        )
    return tuple(pieces)


def _incident(frame: Frame, finding: Finding, width: int) -> Spans:
    incident = next((i for i in frame.snapshot.incidents if _holds(i, finding)), None)
    if incident is None or not incident.symptoms:
        return ()
    pieces = titled("incident", "the cause, then what follows from it")
    for f in incident.findings:
        mine = f.identity == finding.identity
        words = f"{f.title}  ({fmt.age(frame.now - f.since)})"
        pieces += row(
            SEVERITY_WORD[f.severity], words, width, "" if mine else "muted", SEVERITY_SLOT[f.severity]
        )
    return tuple(pieces)


def _holds(incident: Incident, finding: Finding) -> bool:
    return any(f.identity == finding.identity for f in incident.findings)
