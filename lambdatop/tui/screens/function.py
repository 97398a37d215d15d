"""Show one function in full, beside its log."""

from __future__ import annotations

from textual.timer import Timer

from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.reader import LogReader
from lambdatop.domain.sections import section
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.screens.detail_base import SheetScreen
from lambdatop.tui.selection import Selection
from lambdatop.tui.style.spans import Spans

NEXT_S = 0.01
"""Pause between two pieces of a log, in which keys are served."""


class FunctionScreen(SheetScreen):
    """Facts, numbers, findings, log analysis, triggers, queues and journal of one function."""

    def __init__(self, function: Key) -> None:
        super().__init__(function)
        self._key = function
        self._reader = LogReader()
        self._going_on: Timer | None = None

    def on_mount(self) -> None:
        """Ask for its schedules, pipes and state machines."""
        super().on_mount()
        self.console_app.look_up()

    def show(self, frame: Frame) -> None:
        """Show the page of a frame; new log lines are processed in pieces, so that no key waits for it."""
        self._reader.offer(frame.snapshot.logs.get(self._key))
        if self._going_on is None:
            self._learn(frame)
        super().show(frame)

    def _learn(self, frame: Frame) -> bool:
        """Process one piece, and the next one a moment later.

        Return whether there is something new to show.
        """
        reader = self._reader
        if reader.behind:
            reader.step()
        self._going_on = self.set_timer(NEXT_S, self._go_on) if reader.behind else None
        facts = next((f.facts for f in frame.snapshot.functions if f.key == self._key), None)
        return facts is not None and reader.summarize(facts, frame.now, frame.snapshot.burn)

    def _go_on(self) -> None:
        frame = self.frame
        if self._learn(frame):
            section("this screen", lambda: super(FunctionScreen, self).show(frame), self._show_failure)

    def page(self, frame: Frame, width: int) -> Spans:
        """Return the function's page."""
        return page(frame, self._key, width, self._reader.learned, self._reader.failure)

    def headline(self) -> str:
        """Return the function's name."""
        return self._key.id

    def selection(self) -> Selection:
        """Return this function."""
        return Selection(function=self._key)
