"""Write journal entries as text."""

from __future__ import annotations

from lambdatop.domain.plans.journal import Entry
from lambdatop.tui.pages.confirm import value_words
from lambdatop.tui.style.glyphs import ARROW

OPEN = ("open", "unknown")


def in_reading_order(entries: tuple[Entry, ...]) -> list[Entry]:
    """Return what is open or unknown first, then the newest first."""
    newest = sorted(entries, key=lambda e: -e.at)
    return sorted(newest, key=lambda e: e.outcome not in OPEN)


def change_words(entry: Entry) -> str:
    """Return `none reserved → 0 (throttled to zero)`."""
    fields = [
        f"{value_words(f, entry.before.get(f))} {ARROW} {value_words(f, entry.after[f])}" for f in entry.after
    ]
    return ", ".join(fields)
