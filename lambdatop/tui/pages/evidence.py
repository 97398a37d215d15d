"""Write the evidence of a finding as text."""

from __future__ import annotations

from lambdatop.domain.plans.finding import Finding
from lambdatop.tui.hotkeys import KEY_OF
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans


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
