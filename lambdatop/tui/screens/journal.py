"""Show the journal: changes, their outcomes, and their undo."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import cast

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.state.aftermath import Aftermath
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.bindings import bindings
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import BY_ID, Hotkey, in_scope
from lambdatop.tui.pages.confirm import (
    SOON_S,
    change_words,
    countdown,
    field_words,
    in_reading_order,
    row,
    value_words,
)
from lambdatop.tui.screens.base import FrameScreen
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, spans
from lambdatop.tui.style.theme import ARROW
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.keyed_table import KeyedTable
from lambdatop.tui.widgets.rows import Rows

EFFECT_SLOT = {True: "ok", False: "warning", None: "muted"}
OUTCOME_SLOT = {"applied": "ok", "undone": "muted", "open": "critical", "unknown": "critical"}


def _at(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans((fmt.moment(entry.at), "muted"))


def _age(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans((fmt.age(entry.age_s(frame.now)), "muted"))


def _outcome(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans((entry.outcome, OUTCOME_SLOT.get(entry.outcome, "warning")))


def _what(entry: Entry, frame: Frame, width: int) -> Spans:
    words = entry.mitigation.replace("_", " ")
    return spans(("undo of " if entry.undoes and words != "undo" else "", "muted"), words)


def target_name(entry: Entry, snapshot: Snapshot) -> str:
    """Return source and function of a mapping instead of its UUID; the name of anything else."""
    mapping = next((m.facts for m in snapshot.mappings if m.facts.key == entry.target), None)
    if mapping is not None:
        return f"{mapping.source_name} {ARROW} {mapping.function.id}"
    return entry.label or entry.target.id


def _target(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans(target_name(entry, frame.snapshot))


def aftermath_of(entry: Entry, snapshot: Snapshot) -> Aftermath | None:
    """Return what became of an applied mutation, None for one that no longer stands."""
    return next((a for a in snapshot.aftermath if a.entry_id == entry.id), None)


def _since(entry: Entry, frame: Frame, width: int) -> Spans:
    found = aftermath_of(entry, frame.snapshot)
    if found is None:
        return ()
    if found.changed:
        return spans(("CHANGED BY SOMEBODY", "critical"))
    if found.expires_at is not None and entry.outcome == "applied":
        left = found.expires_at - frame.now
        soon = "critical" if left < SOON_S else "warning"
        by = "in at most" if found.at_latest else "in"
        return spans((f"expires {by} {countdown(left)}" if left > 0 else "EVENTS EXPIRE NOW", soon))
    return spans((found.effect, EFFECT_SLOT[found.proven]))


def _change(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans((change_words(entry), "muted"))


def _actor(entry: Entry, frame: Frame, width: int) -> Spans:
    return spans((f"{entry.actor.rsplit('/', 1)[-1]}@{entry.host}", "muted"))


COLUMNS: tuple[Column[Entry], ...] = (
    Column("outcome", "outcome", 8, _outcome, "left"),
    Column("age", "age", 4, _age),
    Column("what", "mitigation", 20, _what, "left", flex=1),
    Column("target", "target", 20, _target, "left", flex=2),
    Column("change", "before → after", 22, _change, "left", rank=1, flex=2),
    Column("since", "since then", 20, _since, "left", rank=1, flex=2),
    Column("at", "time", 20, _at, "left", rank=3),
    Column("actor", "by", 18, _actor, "left", rank=4),
)


def _since_then(entry: Entry, frame: Frame, width: int) -> Spans:
    """Return what the metrics show, what somebody changed, and what runs out."""
    found = aftermath_of(entry, frame.snapshot)
    if found is None:
        return ()
    pieces: list[Span] = []
    for field, ours, now in found.changed:
        words = f"we left {value_words(field, ours)}, it is now {value_words(field, now)}: somebody else acts"
        pieces += row("changed", words, width, "critical", "critical")
    if found.effect:
        pieces += row("effect", found.effect, width, EFFECT_SLOT[found.proven])
    if found.expires_at is not None:
        left = found.expires_at - frame.now
        by = "in at most" if found.at_latest else "in"
        words = f"{by} {countdown(left)} the oldest event that waits is lost"
        words = words if left > 0 else "events expire now"
        pieces += row("deadline", words, width, "critical" if left < SOON_S else "warning")
    return tuple(pieces)


def details(entry: Entry, frame: Frame, width: int) -> Spans:
    """Return everything about one entry."""
    pieces = [*_since_then(entry, frame, width)]
    pieces += row("call", f"{entry.call.service}.{entry.call.operation}", width)
    pieces += row("arn", entry.arn, width)
    pieces += row("change", change_words(entry) or "nothing that could be compared", width)
    pieces += row("by", f"{entry.actor} on {entry.host}, pid {entry.pid}, {fmt.moment(entry.at)}", width)
    if entry.detail:
        pieces += row("detail", entry.detail, width, "warning" if entry.outcome != "applied" else "")
    if entry.seen is not None:
        seen = ", ".join(f"{field_words(k)}: {value_words(k, v)}" for k, v in entry.seen.items())
        pieces += row("seen after", seen, width)
    words = {
        "open": "the process ended before the outcome was written; check the state before you continue",
        "unknown": "AWS gave no clear answer; check the state before you continue",
        "undone": "it has been undone",
    }.get(entry.outcome, "")
    can = "u or Enter undoes it" if entry.can_undo else words or "nothing to undo"
    pieces += row("undo", can, width, "accent" if entry.can_undo else "muted")
    pieces += row("id", entry.id, width, "muted")
    return tuple(pieces)


class JournalScreen(FrameScreen):
    """All entries."""

    BINDINGS = bindings("journal", "dashboard")
    AUTO_FOCUS = "#entries-table"

    def body(self) -> ComposeResult:
        """Yield entries and the details of one."""
        yield KeyedTable(COLUMNS, id="entries-table")
        with VerticalScroll(id="entry", can_focus=False):
            yield Static("", markup=False)

    @property
    def table(self) -> KeyedTable[Entry]:
        """The entries."""
        return cast("KeyedTable[Entry]", self.query_one("#entries-table"))

    def show(self, frame: Frame) -> None:
        """Show the entries of a frame."""
        rows = Rows(in_reading_order(frame.snapshot.journal), attrgetter("id"))
        self.table.set_empty_text(spans(("  nothing was changed with lambdatop yet", "muted")))
        self.table.show_rows(rows, frame)
        self._show_details()

    def on_keyed_table_cursor_moved(self) -> None:
        """Show the details of another entry."""
        self._show_details()

    def _show_details(self) -> None:
        entry = self.table.cursor_row
        frame = self.console_app.frame
        pieces = details(entry, frame, max(40, self.app.size.width - 4)) if entry else ()
        self.query_one("#entry Static", Static).update(self.console_app.inks.content(pieces))

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield the keys of the journal."""
        yield BY_ID["back"]
        yield from in_scope("journal", "everywhere")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the dashboard's keys except Esc."""
        return action not in (
            "pane",
            "next_pane",
            "previous_pane",
            "zoom",
            "filter",
            "sort",
            "reverse",
            "open",
        )

    def action_back(self) -> None:
        """Return to the dashboard."""
        self.dismiss()

    def action_who_chosen(self) -> None:
        """Show who changed the target of the chosen entry, besides us."""
        entry = self.table.cursor_row
        if entry is None:
            self.console_app.show_message("There is nothing to ask about.")
        else:
            self.console_app.ask_who(entry.target, target_name(entry, self.console_app.frame.snapshot))

    def undo(self) -> None:
        """Undo the chosen entry on `:undo`, as the key does."""
        self.action_undo_chosen()

    def action_undo_chosen(self) -> None:
        """Undo the chosen entry, through the same dialog."""
        entry = self.table.cursor_row
        if entry is None:
            self.console_app.show_message("There is nothing to undo.")
        elif not entry.can_undo:
            self.console_app.show_message(f"This entry cannot be undone: it is {entry.outcome}.", "warning")
        else:
            self.console_app.mitigation_flow.undo(entry.id)
