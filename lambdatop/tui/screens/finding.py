"""Show one finding in full: evidence, what else it could be, what would help; beside it the log."""

from __future__ import annotations

from collections.abc import Hashable

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.finding import page
from lambdatop.tui.screens.detail_base import SheetScreen
from lambdatop.tui.selection import Selection, logs_of, of_finding
from lambdatop.tui.style.spans import Spans


class FindingScreen(SheetScreen):
    """The finding as it is now; once it is gone, as it was last, and that it is gone."""

    HINTS = ("back", "open", "filter", "next_pane")
    SILENT = tuple(name for name in SheetScreen.SILENT if name != "open")

    def __init__(self, finding: Finding, snapshot: Snapshot) -> None:
        self._selection = of_finding(finding, snapshot)
        function = finding.target.key if finding.target.key.kind == "function" else self._selection.function
        super().__init__(function)
        self._last = finding

    def page(self, frame: Frame, width: int) -> Spans:
        """Return the finding's page."""
        found = next((f for f in frame.snapshot.findings if f.identity == self._last.identity), None)
        if found is not None:
            self._last = found
            self._selection = of_finding(found, frame.snapshot)
        return page(frame, self._last, width, gone=found is None)

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return the logs of the whole incident when this is its cause."""
        functions, about = logs_of(self._last, frame.snapshot)
        return (functions, about) if functions else super().logs_wanted(frame)

    def headline(self) -> str:
        """Return the detector and its target."""
        return f"{self._last.detector.replace('_', ' ')}: {self._last.target.name}"

    def selection(self) -> Selection:
        """Return what the suggestions act on."""
        return self._selection

    def about(self) -> tuple[Key, ...]:
        """Return the finding's own target."""
        return (self._last.target.key,)

    def action_open(self) -> None:
        """Open the function behind it in full."""
        function = self._selection.function
        if function is None:
            self.console_app.show_message("No function is known behind this finding.")
        else:
            self.console_app.open_function(function)
