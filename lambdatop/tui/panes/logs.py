"""Show the log tails of the selection: a function, those marked, or those of an incident."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.tail import LogTail as Tail
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.frame import BAD, Frame
from lambdatop.tui.futures import background, ending
from lambdatop.tui.host import Host, host_of
from lambdatop.tui.hotkeys import in_scope
from lambdatop.tui.logview.keys import LogKeys
from lambdatop.tui.logview.lines import Shown, copies, file_lines
from lambdatop.tui.logview.search_line import SearchLine, words_of_search
from lambdatop.tui.logview.tail import LogTail
from lambdatop.tui.panes.base import Pane
from lambdatop.tui.panes.log_status import LIVE, notes, way
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.search import parse_search
from lambdatop.tui.selection import NOTHING, Selection
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Spans, spans
from lambdatop.tui.widgets.header import hints_line

MOST = 10
"""Logs that are shown together: as many as one session of Live Tail takes."""

SWITCHES = (("wrap", "wrap"), ("errors_only", "errors only"), ("by_request", "by request"))
RISK = "The line holds what may be a secret. Whatever runs on this desktop can read the clipboard."


class LogsPane(Pane):
    """The newest log lines of some functions; `function` is the one that mutation keys mean."""

    def main(self) -> Widget:
        """Return the tail."""
        self.tail = LogTail(id="logs-tail")
        self.tail.open_search = self.open_search
        self.tail.on_change = self._tail_changed
        self.function: Key | None = None
        self.functions: tuple[Key, ...] = ()
        self._about: Hashable = None
        self._asking = False
        self._search = ("", "")
        return self.tail

    def compose(self) -> ComposeResult:
        """Yield what every pane has, and the search line."""
        yield from super().compose()
        yield SearchLine()

    @property
    def search_line(self) -> SearchLine:
        """The line in which the search text is typed."""
        return self.query_one(SearchLine)

    def on_mount(self) -> None:
        """Hide the search line like the filter."""
        self.search_line.display = False

    def select(self, functions: tuple[Key, ...], about: Hashable = None) -> None:
        """Show the logs of other functions; those of the same thing (`about`) join in."""
        if (functions, about) != (self.functions, self._about):
            self.functions, self._about = functions[:MOST], about
            self.function = functions[0] if functions else None
            self.show(self.frame)

    def selection(self) -> Selection:
        """Return the function whose log this is."""
        return Selection(function=self.function) if self.function else NOTHING

    def logs_wanted(self, frame: Frame) -> tuple[tuple[Key, ...], Hashable]:
        """Return no logs: those that it shows stay when it gets the focus."""
        return (), None

    def paint(self, frame: Frame) -> None:
        """Paint a frame."""
        tails = {key: frame.snapshot.logs.get(key) for key in self.functions}
        self.tail.set_empty_text(self._empty(frame))
        self.tail.show(self._about or self.functions, tails, self.filter, greyed=bool(self.troubles(frame)))
        self._show_title(frame)
        asked = self.console_app.live_asked is True
        self.show_note(frame, *notes(self._tails(frame), live_asked=asked))
        self.show_detail(self._hints() if self.tail.has_focus else ())

    def _hints(self) -> Spans:
        hints = [(h.shown.split(" ")[0], h.label, h.footer, True) for h in in_scope("log") if h.footer]
        return hints_line(hints, max(0, self.size.width - 4))

    def _tails(self, frame: Frame) -> list[Tail]:
        found = (frame.snapshot.logs.get(key) for key in self.functions)
        return [tail for tail in found if tail is not None]

    def _tail_changed(self) -> None:
        """Show that following, counting, searching or the lines shown have changed."""
        self._show_title(self.frame)

    def _show_title(self, frame: Frame) -> None:
        tail = self.tail
        name = self.function.id if self.function else ""
        if len(self.functions) > 1:
            name = f"{name} and {len(self.functions) - 1} more"
        following = ("following", "muted")
        if frame.paused_at is not None:
            following = ("paused", "warning")
        elif not tail.following:
            new = f"+{tail.unseen:,} new, " if tail.unseen else ""
            following = (f"{new}End: follow again", "warning")
        count = (f"  {fmt.plural(tail.line_count, 'line')}", "faint") if tail.line_count else ""
        on = [words for switch, words in SWITCHES if getattr(tail, switch)]
        on += [] if tail.stamps else ["no time"]
        on += ["reading older lines…"] if self._asking else ["nothing is older"] if self._at_oldest else []
        switches = [(f"  {words}", "accent") for words in on]
        revealed = ("  SECRETS SHOWN", "warning") if tail.revealed is not None else ""
        text, note = self._search
        search = words_of_search(text, note, tail.place_of_hit(), busy=tail.book.busy)
        words = spans((name, ""), "  " if name else "", following, revealed, *switches)
        self.show_title((*words, *search, *spans(count)), self._ages(frame))

    def _ages(self, frame: Frame) -> Spans:
        return way(self._tails(frame), frame.now)

    @property
    def _at_oldest(self) -> bool:
        return self.tail.oldest and self.tail.top == 0 and not self.tail.following

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
        if self.tail.errors_only:
            return spans(("  no errors in what has been read", "muted"))
        return spans(("  no log lines yet", "muted"))

    # -- where lines come from -------------------------------------------------------------------

    def on_log_keys_live(self, event: LogKeys.Live) -> None:
        """Turn Live Tail on or off for the logs on the screen."""
        event.stop()
        on = any(tail.via == LIVE for tail in self._tails(self.frame))
        self.console_app.ask_live(on=not on)
        self.show(self.frame)

    def on_log_keys_kinds(self, event: LogKeys.Kinds) -> None:
        """Ask what a Logs Insights query would cost, and then perhaps run it."""
        event.stop()
        if self.functions:
            self.console_app.open_log_errors(frozenset(self.functions))

    def on_log_view_at_top(self, event: LogTail.AtTop) -> None:
        """Fetch an older page, one at a time."""
        event.stop()
        before = self.tail.book.seam()
        if not self._asking and not self.tail.oldest and before is not None:
            self._asking = True
            background(self, partial(self._fetch, frozenset(self.functions), before))

    async def _fetch(self, functions: frozenset[Key], before: float) -> None:
        self._show_title(self.frame)
        try:
            older = await ending(self.console_app.engine.older_logs(functions, before))
        except LambdatopError as error:
            self.console_app.show_message(f"Older lines could not be read: {error}", "warning")
        else:
            if functions == frozenset(self.functions):
                self.tail.go_back(before, older)
            if older.note:
                self.console_app.show_message(older.note)
        finally:
            self._asking = False
            self._show_title(self.frame)

    # -- search ----------------------------------------------------------------------------------

    def open_search(self) -> None:
        """Show the search line and type into it, from this moment on."""
        self.search_line.display = True
        self.screen.set_focus(self.search_line)

    def clear_filter(self) -> bool:
        """Take the search away, else the filter; False when there was neither."""
        line = self.search_line
        if not (line.display or line.value):
            return super().clear_filter()
        line.display = False
        line.value = ""
        self._look_for("")
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Highlight while typing; the base class handles the filter line."""
        if event.input is self.search_line:
            event.stop().prevent_default()
            self._look_for(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Mark the newest match before the present position, and go back to the lines."""
        if event.input is not self.search_line:
            return
        event.stop().prevent_default()
        self._look_for(event.value)
        self.search_line.display = False
        if event.value and not self.tail.place_of_hit()[0]:
            self.tail.action_match(-1)
        self.post_message(self.FilterClosed())

    def _look_for(self, text: str) -> None:
        if text == self._search[0]:
            return
        pattern, note = parse_search(text)
        self._search = (text, note)
        self.tail.look_for(pattern if text else None)
        self._show_title(self.frame)

    # -- one line, or all of them ----------------------------------------------------------------

    @property
    def console_app(self) -> Host:
        """The app, by what its parts use of it."""
        return host_of(self)

    def on_log_keys_said(self, event: LogKeys.Said) -> None:
        """Show a message about something that cannot be seen in the lines."""
        event.stop()
        self.console_app.show_message(event.words)

    def on_log_keys_reveal(self, event: LogKeys.Reveal) -> None:
        """Show the secrets of one line while it is on the screen; never in read-only mode."""
        event.stop()
        tail = self.tail
        if tail.revealed is event.shown:
            tail.reveal(None)
        elif event.shown.raw is None:
            self.console_app.show_message("Nothing is hidden in this line.")
        elif self.console_app.mode == "read-only":
            self.console_app.show_message("Secrets stay hidden in read-only mode.", "warning")
        else:
            tail.reveal(event.shown)
        self._show_title(self.frame)

    def on_log_keys_copy(self, event: LogKeys.Copy) -> None:
        """Copy lines without a secret at once; ask before copying others."""
        event.stop()
        options = copies(event.lines, self.tail.revealed)
        if len(options) == 1:
            self._copy(options[0][1])
        else:
            self.app.push_screen(ChooseScreen(RISK, options), self._copy)

    def _copy(self, text: str | None) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self.console_app.show_message(
                f"Copied {fmt.plural(len(text), 'character')}, if this terminal allows it."
            )

    def on_log_keys_save(self, event: LogKeys.Save) -> None:
        """Write what is shown to a file, without blocking the console."""
        event.stop()
        lines = list(self.tail.book.view)
        if not lines or self.function is None:
            self.console_app.show_message("There is nothing to save.")
        else:
            background(self.app, partial(self._save, self.function.id, lines))

    async def _save(self, name: str, lines: list[Shown]) -> None:
        save = getattr(self.app, "save_log", None)
        if save is None:
            self.console_app.show_message("This console was started without a place to save to.", "warning")
            return
        try:
            path = await asyncio.to_thread(lambda: save(name, file_lines(lines)))
        except LambdatopError as error:
            self.console_app.show_message(str(error), "error")
        else:
            self.console_app.show_message(f"Saved {fmt.plural(len(lines), 'line')} to {path}")


SPEC: PaneSpec[Shown] = PaneSpec(
    key="4",
    name="logs",
    title="log tail",
    does="log tail of the selected function",
    place="bottom",
    share=1,
    widget=LogsPane,
    sources=("logs",),
)
