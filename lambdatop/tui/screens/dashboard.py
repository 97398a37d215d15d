"""Show the dashboard: all panes, side by side, stacked, or one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.containers import Container

from lambdatop.domain.keys import Key
from lambdatop.tui.bindings import binding, bindings
from lambdatop.tui.frame import Frame
from lambdatop.tui.hotkeys import Hotkey, in_scope
from lambdatop.tui.panes.base import Pane
from lambdatop.tui.panes.findings import SPEC as FINDINGS
from lambdatop.tui.panes.findings import strip
from lambdatop.tui.panes.functions import SPEC as FUNCTIONS
from lambdatop.tui.panes.logs import LogsPane
from lambdatop.tui.panes.registry import PANE_HOTKEYS, PANES, panes_at
from lambdatop.tui.panes.spec import Place
from lambdatop.tui.screens.base import FrameScreen
from lambdatop.tui.selection import Selection
from lambdatop.tui.style.spans import Span, Spans, fit
from lambdatop.tui.widgets.header import Lines
from lambdatop.tui.widgets.keyed_table import KeyedTable

ORDER = tuple(spec.name for spec in PANES)
PLACE = {spec.name: spec.place for spec in PANES}
STRIP_LINES = 2


class DashboardScreen(FrameScreen):
    """All panes. The function selected last, in whichever pane, is the one whose log is shown."""

    BINDINGS = [*map(binding, PANE_HOTKEYS), *bindings("dashboard", "target")]  # noqa: RUF012 (Textual declares it so)
    AUTO_FOCUS = f"#{ORDER[0]}-table"

    def __init__(self) -> None:
        super().__init__()
        self.active = ORDER[0]
        self.zoomed = False
        self._leading: Pane | None = None

    def body(self) -> ComposeResult:
        """Yield tabs (one pane at a time only), panes, strip of findings."""
        yield Lines(self._tabs, id="tabs").data_bind(DashboardScreen.frame)
        with Container(id="upper"):
            with Container(id="left"):
                yield from self._panes("left")
            with Container(id="right"):
                yield from self._panes("right")
        yield from self._panes("bottom")
        yield Lines(self._strip, id="strip").data_bind(DashboardScreen.frame)

    def _panes(self, place: Place) -> ComposeResult:
        for spec in panes_at(place):
            yield spec.make().data_bind(DashboardScreen.frame)

    def show(self, frame: Frame) -> None:
        """Show a frame: an incident may concern more functions, and other rows may be on screen."""
        self.call_after_refresh(self._send_visible_rows)  # the pane takes the frame in its own time
        if self._leading is not None:
            self._follow_selection(self._leading, frame)

    def _send_visible_rows(self) -> None:
        self.console_app.visible_rows.rows(
            frozenset().union(*(pane.on_screen() for pane in self.query(Pane)))
        )

    # -- panes -----------------------------------------------------------------------------------

    def pane(self, name: str) -> Pane:
        """Return one pane."""
        return self.query_one(f"#{name}", Pane)

    @property
    def active_pane(self) -> Pane:
        """The pane that has, or had last, the focus."""
        return self.pane(self.active)

    @property
    def layout_name(self) -> str:
        """A zoomed pane is the layout of one pane at a time."""
        return "compact" if self.zoomed else super().layout_name

    def lay_out(self) -> None:
        """Show the panes of this layout."""
        super().lay_out()
        one = self.layout_name == "compact"
        for name in ORDER:
            self.pane(name).display = not one or name == self.active
        place = PLACE[self.active]
        self.query_one("#left").display = not one or place == "left"
        self.query_one("#right").display = not one or place == "right"
        self.query_one("#upper").display = not one or place != "bottom"
        self.refresh_lines()
        for name in ORDER:
            self.pane(name).show(self.frame)

    def action_pane(self, name: str) -> None:
        """Show a pane and give it the focus."""
        self.active = name
        self.lay_out()
        self.active_pane.focus_target.focus()

    def action_next_pane(self) -> None:
        """Focus the next pane."""
        self.action_pane(ORDER[(ORDER.index(self.active) + 1) % len(ORDER)])

    def action_previous_pane(self) -> None:
        """Focus the previous pane."""
        self.action_pane(ORDER[ORDER.index(self.active) - 1])

    def action_zoom(self) -> None:
        """Show one pane alone, or all again."""
        self.zoomed = not self.zoomed
        self.action_pane(self.active)

    def on_descendant_focus(self) -> None:
        """Note that the mouse may have moved the focus."""
        focused = self.focused
        found = next((a for a in focused.ancestors if isinstance(a, Pane)), None) if focused else None
        if found is None:
            return
        if self.active != found.spec.name:
            self.active = found.spec.name
            self.refresh_lines()
        self._follow_selection(found)

    # -- selection -------------------------------------------------------------------------------

    def selection(self) -> Selection:
        """Return what is selected in the pane with the focus."""
        return self.active_pane.selection()

    def on_pane_selection_changed(self, event: Pane.SelectionChanged) -> None:
        """Let the log follow the pane with the focus."""
        if self.active == event.pane.spec.name or self._shown_function is None:
            self._follow_selection(event.pane)

    @property
    def _shown_function(self) -> Key | None:
        return self.query_one(LogsPane).function

    def _follow_selection(self, pane: Pane, frame: Frame | None = None) -> None:
        functions, about = pane.logs_wanted(frame or self.frame)
        if functions:
            self._leading = pane
            self.query_one(LogsPane).select(functions, about)
            self.console_app.watch_logs()

    def on_keyed_table_opened(self, event: KeyedTable.Opened) -> None:
        """Open a row on a double click."""
        self.action_open()

    def action_open(self) -> None:
        """Open the selected finding or function in full."""
        finding = self.active_pane.finding()
        if finding is not None:
            self.console_app.open_finding(finding)
            return
        function = self.selection().function
        if function is None:
            self.console_app.show_message("Select a function first.")
        else:
            self.console_app.open_function(function)

    def action_expand(self) -> None:
        """Show or hide the symptoms of the selected incident."""
        if not self.active_pane.unfold():
            self.console_app.show_message(
                f"Incidents and their symptoms are in the findings ({FINDINGS.key})."
            )

    def action_mark(self) -> None:
        """Mark the function under the cursor, or not any more; marked ones' logs are shown together."""
        pane = self.active_pane
        if pane.mark():
            self._follow_selection(pane)
        else:
            self.console_app.show_message(
                f"Functions are marked in the list of hot functions ({FUNCTIONS.key})."
            )

    def action_back(self) -> None:
        """Clear the filter, then the marks, unzoom; never quit."""
        pane = self.active_pane
        if pane.clear_filter():
            self.action_pane(self.active)
        elif pane.clear_marks():
            self._follow_selection(pane)
        elif self.zoomed:
            self.action_zoom()

    def action_filter(self) -> None:
        """Type into the filter line of the active pane."""
        self.active_pane.open_filter()

    async def on_pane_filter_closed(self) -> None:
        """Return the focus from the filter line."""
        self.action_pane(self.active)
        self.set_focus(self.active_pane.focus_target)
        await self.console_app.go_on()

    def action_sort(self) -> None:
        """Order the active pane by its next column."""
        self.active_pane.sort_next()

    def action_reverse(self) -> None:
        """Turn the active pane's order round."""
        self.active_pane.sort_reverse()

    # -- lines -----------------------------------------------------------------------------------

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield all keys of the dashboard."""
        return (h for h in in_scope("dashboard", "target", "everywhere") if h.id != "back")

    def _tabs(self, frame: Frame, width: int) -> Sequence[Spans]:
        if self.layout_name != "compact":
            return []
        pieces = [Span(" ")]
        for spec in PANES:
            slot = "accent" if spec.name == self.active else "muted"
            label = f"{spec.key} {spec.name}"
            label = f"[{label}]" if spec.name == self.active else f" {label} "
            pieces.append(Span(label + " ", slot))
        return [fit(pieces, width)]

    def _strip(self, frame: Frame, width: int) -> Sequence[Spans]:
        if self.layout_name != "compact" or self.active == FINDINGS.name:
            return []
        return [fit((Span(" "), *line), width) for line in strip(frame, width, STRIP_LINES)]
