"""Show the buttons of a plan's alternatives: what to do first, or instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from lambdatop.domain.plans.plan import Alternative
from lambdatop.tui.style.spans import spans
from lambdatop.tui.style.theme import Inks


def label(other: Alternative, mitigation: str) -> str:
    """Return `Do this first: disable trigger orders`.

    The same mitigation with other settings is done instead.
    """
    if other.label:
        return other.label
    verb = "Rather" if other.mitigation == mitigation else "Do this first"
    settings = "".join(f" {name}={value}" for name, value in other.params.items())
    return f"{verb}: {other.mitigation.replace('_', ' ')} {other.target.name}{settings}"


def buttons(alternatives: Sequence[Alternative], inks: Inks, mitigation: str) -> Iterator[Widget]:
    """Yield a button for each, named by its place in the list, and below it the reason."""
    for i, other in enumerate(alternatives):
        yield Button(Content(inks.text(label(other, mitigation))), name=str(i), classes="alternative")
        yield Static(inks.content(spans((other.why, "muted"))), markup=False)
