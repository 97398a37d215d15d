"""Hold what every pane has: a title with counts and ages, the reason when its source fails, a filter."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from lambdatop.domain.facts.not_read import reason_words
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.sections import section
from lambdatop.domain.state.snapshot import SourceRow
from lambdatop.report.text.not_known import short
from lambdatop.tui._textual import Title, put_border_title, title_room
from lambdatop.tui.frame import BAD, EMPTY_FRAME, Frame
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.search import NO_FILTER, Filter, parse_filter
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, fit, spans, width_of
from lambdatop.tui.style.theme import inks_of

if TYPE_CHECKING:
    from textual.css.styles import RulesMap

SEPARATOR = Span("  ")
ROOM_FOR_DETAIL = 9
"""Height, in lines, from which on a pane shows words about the selected row."""


def reason(row: SourceRow, age_s: float | None) -> str:
    """Return why a source shows old data, and what would help."""
    words = f"{row.name} {row.state}"
    if row.state == "denied" and row.action:
        words += f": allow {row.action}"
    elif row.error:
        words += f": {row.error}"
    old = f"data {fmt.age(age_s)} old" if age_s is not None else "never read"
    return f"{words} ({old})"


def within_border(widget: Widget, title: Spans) -> Spans:
    """Return a title cut to the room there is: Textual would cut it with an ellipsis that is not ASCII."""
    room = title_room(widget)
    return fit(title, room) if 0 < room < width_of(title) else title


def update_text(place: Static, words: Content) -> None:
    """Show words; the layout is computed again only where their height changes."""
    size, most = place.size, place.styles.max_height
    height = words.get_height(cast("RulesMap", place.styles), size.width) if size.width else -1
    if most is not None and most.cells is not None:
        height = min(height, most.cells)
    place.update(words, layout=height != size.height)


NOT_ALL = " in what was read, which is not everything"


def lacking(frame: Frame, *sources: str) -> list[str]:
    """Return the sources that never answered and will not soon: `lambda:ListFunctions denied`."""
    rows = (frame.source(name) for name in sources)
    return [short(r) for r in rows if r is not None and r.age_s is None and r.state in BAD]


class Pane(Vertical):
    """Base of all panes. Subclasses replace `main()` and `paint()`."""

    frame: reactive[Frame] = reactive(EMPTY_FRAME, repaint=False)

    class FilterClosed(Message):
        """The filter line was left; the pane takes the focus again."""

    class SelectionChanged(Message):
        """Another row is selected."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, spec: PaneSpec[Any]) -> None:
        super().__init__(id=spec.name, classes=f"pane share-{spec.share}")
        self.spec = spec
        self.filter: Filter = NO_FILTER
        self._told = ("", "")
        self._detailed: tuple[Spans, str] = ((), "")
        self._titles: dict[str, tuple[Spans, str]] = {}

    def compose(self) -> ComposeResult:
        """Yield reason, main widget, details, filter line."""
        yield Static("", classes="note", markup=False)
        self.focus_target = self.main()
        yield self.focus_target
        yield Static("", classes="detail", markup=False)
        yield Input(classes="filter", placeholder="regular expression or text; ! inverts", compact=True)

    # -- subclasses ------------------------------------------------------------------------------

    def main(self) -> Widget:
        """Return the widget that has the focus."""
        return Static("", markup=False)

    def paint(self, frame: Frame) -> None:
        """Put a frame into the pane's widgets."""

    def selection(self) -> Selection:
        """Return what mutation keys act on."""
        return NOTHING

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return whose logs belong to the selection, the function that keys act on first, and what it is."""
        function = self.selection().function
        return ((function,) if function is not None else ()), None

    def finding(self) -> Finding | None:
        """Return the finding under the cursor, where there are findings."""
        return None

    def on_screen(self) -> frozenset[Key]:
        """Return functions whose rows can be seen; metrics are asked for these first."""
        return frozenset()

    def mark(self) -> bool:
        """Mark the function under the cursor, or take its mark away; False where nothing can be marked."""
        return False

    def clear_marks(self) -> bool:
        """Take all marks away; False when there was none."""
        return False

    def unfold(self) -> bool:
        """Show what is folded away under the cursor, or hide it; False where nothing folds."""
        return False

    def sort_next(self) -> None:
        """Order by the next column, where there are columns."""

    def sort_reverse(self) -> None:
        """Reverse the order."""

    # -- frames ----------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Paint a frame; where that fails the pane keeps what it shows and shows the error."""
        section(f"the pane {self.spec.title}", lambda: self.paint(frame), self._show_failure)

    def _show_failure(self, sentence: str) -> None:
        note = self.query(".note").first(Static) if self.query(".note") else None
        if note is not None:
            note.display = True
            self._told = (sentence, self.app.theme)
            update_text(note, inks_of(self.app).content(spans((f"! {sentence}", "critical"))))

    def on_mount(self) -> None:
        """Hide the filter line; the first frame may have come already."""
        self.query_one(".filter", Input).display = False
        self.show(self.frame)

    def on_resize(self) -> None:
        """Show or hide details by the room that there is now."""
        self.show(self.frame)

    def watch_frame(self, frame: Frame) -> None:
        """Show a new frame (the watcher also runs before there are children)."""
        if self.is_mounted and self.display:  # a hidden pane is painted when the layout shows it again
            self.show(frame)

    def troubles(self, frame: Frame) -> tuple[SourceRow, ...]:
        """Return the sources of this pane that do not deliver."""
        rows = (frame.source(name) for name in self.spec.sources)
        return tuple(row for row in rows if row is not None and row.state in BAD)

    def show_note(self, frame: Frame, *extra: str) -> None:
        """Show one line under the title when data is old, with the reason."""
        words = [reason(row, frame.age(row.age_s)) for row in self.troubles(frame)] + list(extra)
        note = self.query_one(".note", Static)
        note.display = bool(words)
        text = "  ".join(words)
        if (text, self.app.theme) != self._told:
            self._told = (text, self.app.theme)
            update_text(note, inks_of(self.app).content(spans(("! ", "warning"), (text, "warning"))))

    def show_detail(self, pieces: Spans) -> None:
        """Show words about the selected row; none hides the line."""
        detail = self.query_one(".detail", Static)
        detail.display = bool(pieces) and self.size.height >= ROOM_FOR_DETAIL
        if pieces and (pieces, self.app.theme) != self._detailed:
            self._detailed = (pieces, self.app.theme)
            update_text(detail, inks_of(self.app).content(pieces))

    def show_title(self, middle: Spans, ages: Spans) -> None:
        """Show number, name and `middle` in the title; ages at the lower edge, or here when it has none."""
        name = "accent" if self.has_focus_within else "muted"
        pieces = [Span(f"{self.spec.key} ", "accent"), Span(self.spec.title, name), SEPARATOR, *middle]
        if self.filter.active:
            note = f" ({self.filter.note})" if self.filter.note else ""
            pieces += [SEPARATOR, Span(f"/{self.filter.text}/{note}", "accent")]
        compact = self.screen.has_class("-compact")
        if compact and ages:
            pieces += [SEPARATOR, *ages]
        self._put_title("border_title", tuple(pieces))
        self._put_title("border_subtitle", ages if not compact and ages else (Span(" "),))

    def _put_title(self, which: Title, pieces: Spans) -> None:
        """Set a border title only when it changed.

        Textual compares the text of contents only, so our own pieces with their colours are compared.
        """
        pieces = within_border(self, pieces)
        if self._titles.get(which) != (pieces, self.app.theme):
            self._titles[which] = (pieces, self.app.theme)
            put_border_title(self, which, inks_of(self.app).content(pieces))

    def waiting(self, frame: Frame, what: str, *sources: str, besides: tuple[str, ...] = ()) -> Spans:
        """Return what an empty pane shows; `besides` are sources that may add rows to it."""
        if frame.trouble:
            return spans((f"  {frame.trouble}", "warning"))
        if not frame.connected:
            return spans(("  connecting…", "muted"))
        missing = lacking(frame, *sources, *besides)
        rows = [frame.source(name) for name in sources]
        if not missing and any(row is None or row.age_s is None for row in rows):
            return spans((f"  reading {what}…", "muted"))
        if self.filter.active:
            return spans((f"  nothing matches {self.filter.text}", "muted"))
        if missing:
            return spans((f"  whether there are {what} is not known ({'; '.join(missing)})", "warning"))
        unread = [g for g in frame.snapshot.gaps if g.source in (*sources, *besides)]
        causes = dict.fromkeys(f"{g.action} {reason_words(g.reason)}" for g in unread if g.action)
        words = f" in what was read ({'; '.join(causes)})" if causes else NOT_ALL if unread else ""
        return spans((f"  no {what}{words}", "muted"))

    @property
    def has_focus_within(self) -> bool:
        """Whether the focus is on one of the pane's widgets."""
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors

    def on_descendant_focus(self) -> None:
        """Show in the title that the focus is here."""
        self.show(self.frame)

    def on_descendant_blur(self) -> None:
        """Show in the title that the focus is elsewhere."""
        self.show(self.frame)

    # -- filter ----------------------------------------------------------------------------------

    def open_filter(self) -> None:
        """Show the filter line and type into it, from this moment on: `focus()` would come later."""
        line = self.query_one(".filter", Input)
        line.display = True
        self.screen.set_focus(line)

    def clear_filter(self) -> bool:
        """Take the filter away; False when there was none."""
        line = self.query_one(".filter", Input)
        had = self.filter.active or line.display
        line.display = False
        line.value = ""
        self._apply("")
        return bool(had)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        event.stop()
        self._apply(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        event.stop()
        self._apply(event.value)
        self.query_one(".filter", Input).display = bool(event.value)
        self.post_message(self.FilterClosed())

    def _apply(self, text: str) -> None:
        if text != self.filter.text:
            self.filter = parse_filter(text)
            self.show(self.frame)
