"""One function in full, beside its log."""

from __future__ import annotations

from lambdatop.domain.scope import Key
from lambdatop.tui.frame import Frame
from lambdatop.tui.ink import Spans
from lambdatop.tui.screens.function_text import page
from lambdatop.tui.screens.sheet import SheetScreen
from lambdatop.tui.targets import Selection


class FunctionScreen(SheetScreen):
    """Facts, numbers, triggers, queues, findings, journal and log of one function."""

    def __init__(self, function: Key) -> None:
        super().__init__(function)
        self._key = function

    def page(self, frame: Frame, width: int) -> Spans:
        """The function's page."""
        return page(frame, self._key, width)

    def headline(self) -> str:
        """The function's name."""
        return self._key.id

    def selection(self) -> Selection:
        """This function."""
        return Selection(function=self._key)
