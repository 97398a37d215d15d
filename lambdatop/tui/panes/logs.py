"""Pane 4: the log tail of the selected function."""

from __future__ import annotations

from textual.widget import Widget

from lambdatop.domain.scope import Key
from lambdatop.tui import format as fmt
from lambdatop.tui.frame import BAD, Frame
from lambdatop.tui.ink import Spans, spans
from lambdatop.tui.panes.pane import Pane
from lambdatop.tui.targets import NOTHING, Selection
from lambdatop.tui.widgets.log_tail import LogTail


class LogsPane(Pane):
    """The newest log lines of one function."""

    NUMBER, PANE, TITLE = 4, "logs", "log tail"
    SOURCES = ("logs",)

    def main(self) -> Widget:
        """The tail."""
        self.tail = LogTail(id="logs-tail")
        self.function: Key | None = None
        return self.tail

    def select(self, function: Key | None) -> None:
        """Show another function's log."""
        if function != self.function:
            self.function = function
            self.show(self.frame)

    def selection(self) -> Selection:
        """The function whose log this is."""
        return Selection(function=self.function) if self.function else NOTHING

    def show(self, frame: Frame) -> None:
        """Paint a frame."""
        key = self.function
        tail = frame.snapshot.logs.get(key) if key else None
        self.tail.say_when_empty(self._empty(frame))
        self.tail.show(key, tail, self.filter, greyed=bool(self.troubles(frame)))
        self._show_title(frame)
        gap = (f"lines may be missing: {tail.gap}",) if tail is not None and not tail.complete else ()
        self.show_note(frame, *gap)
        self.show_detail(())

    def on_log_tail_changed(self) -> None:
        """Following or counting changed."""
        self._show_title(self.frame)

    def _show_title(self, frame: Frame) -> None:
        name = self.function.id if self.function else ""
        following = ("following", "muted")
        if frame.paused_at is not None:
            following = ("paused", "warning")
        elif not self.tail.following:
            following = (f"+{self.tail.unseen:,} new, End follows", "warning")
        count = (f"  {fmt.plural(self.tail.line_count, 'line')}", "faint") if self.tail.line_count else ""
        self.show_title(spans((name, ""), "  " if name else "", following, count), self._ages(frame))

    def _ages(self, frame: Frame) -> Spans:
        tail = frame.snapshot.logs.get(self.function) if self.function else None
        if tail is None or not tail.at:
            return ()
        age = max(0.0, frame.now - tail.at)
        return spans((f"read {fmt.age(age)} ago  {tail.group}", "muted"))

    def _empty(self, frame: Frame) -> Spans:
        row = frame.source("logs")
        if not frame.connected:
            return self.waiting(frame, "log lines", "logs")
        if self.function is None:
            return spans(("  select a function", "muted"))
        if row is not None and row.state in BAD:
            return ()
        if self.filter.active:
            return spans((f"  nothing matches {self.filter.text}", "muted"))
        return spans(("  no log lines yet", "muted"))
