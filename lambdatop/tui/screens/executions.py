"""Show the durable executions of a function that run now, and what one of them has done. Read on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.durable import (
    DurableExecution,
    ExecutionHistory,
    RunningExecutions,
    VersionExecutions,
)
from lambdatop.domain.keys import Key
from lambdatop.tui.bindings import bindings
from lambdatop.tui.frame import Frame
from lambdatop.tui.futures import background, ending
from lambdatop.tui.hotkeys import BY_ID, Hotkey, in_scope
from lambdatop.tui.pages.durable import found_text, history_text
from lambdatop.tui.screens.base import ELSEWHERE, FrameScreen
from lambdatop.tui.selection import Selection
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Spans, spans
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.keyed_table import KeyedTable
from lambdatop.tui.widgets.rows import Rows

READING = "asking AWS which durable executions run…"


class Listed(Struct, frozen=True):
    """A row of the table: an execution and the version that it runs on."""

    of: VersionExecutions
    one: DurableExecution


def _version(row: Listed, frame: Frame, width: int) -> Spans:
    return spans((row.of.label, "muted"))


def _age(row: Listed, frame: Frame, width: int) -> Spans:
    return spans(fmt.age(None if row.one.started is None else frame.now - row.one.started))


def _name(row: Listed, frame: Frame, width: int) -> Spans:
    return spans((row.one.name, "accent"))


def _id(row: Listed, frame: Frame, width: int) -> Spans:
    return spans((row.one.path.rpartition("/")[2], "muted"))


COLUMNS: tuple[Column[Listed], ...] = (
    Column("age", "running", 7, _age),
    Column("name", "execution", 24, _name, "left", flex=2),
    Column("version", "version", 16, _version, "left", flex=1),
    Column("id", "id", 20, _id, "left", rank=1, flex=1),
)


class ExecutionsScreen(FrameScreen):
    """The running executions, the oldest first, and below what the opened one has done."""

    BINDINGS = bindings("dashboard", "target")
    AUTO_FOCUS = "#executions-table"

    def __init__(self, function: Key) -> None:
        super().__init__()
        self._function = function
        self._found: RunningExecutions | None = None
        self._words: tuple[str, str] = (READING, "muted")
        self._history: ExecutionHistory | None = None
        self._below: tuple[str, str] = ("Enter reads what the marked execution has done", "muted")

    def body(self) -> ComposeResult:
        """Yield counts, executions, and the history of one."""
        yield Static("", id="found", markup=False)
        yield KeyedTable(COLUMNS, id="executions-table")
        with VerticalScroll(id="entry", can_focus=False):
            yield Static("", markup=False)

    def on_mount(self) -> None:
        """Ask for what runs."""
        super().on_mount()
        self.action_executions()

    @property
    def table(self) -> KeyedTable[Listed]:
        """The executions."""
        return cast("KeyedTable[Listed]", self.query_one("#executions-table"))

    def selection(self) -> Selection:
        """Return the function whose executions these are."""
        return Selection(function=self._function)

    def show(self, frame: Frame) -> None:
        """Show what was read; ages go on."""
        inks, width = self.console_app.inks, max(40, self.app.size.width - 4)
        found, listed = self._found, list[Listed]()
        if found is not None:
            listed = [Listed(of, one) for of, one in found.listed]
            empty = "no execution runs now" if not found.gaps else "none was listed; see what is not known"
            self.table.set_empty_text(spans((f"  {empty}", "muted")))
        else:
            self.table.set_empty_text(())
        top = spans(("durable executions of ", "muted"), (self._function.id, "accent"), "\n")
        top += found_text(found, width) if found is not None else spans(self._words)
        self.query_one("#found", Static).update(inks.content(top))
        self.table.show_rows(Rows(listed, lambda row: row.one.path), frame)
        history = self._history
        below = spans(self._below) if history is None else history_text(history, frame.now, width)
        self.query_one("#entry Static", Static).update(inks.content(below))

    # -- keys ------------------------------------------------------------------------------------

    def action_executions(self) -> None:
        """Ask which executions run, the first time and again."""
        self._found, self._words = None, (READING, "muted")
        self._history = None
        self._show_now()
        engine, function = self.console_app.engine, self._function
        self._read("running", lambda: engine.executions(function), self._listed)

    def action_open(self) -> None:
        """Read what the marked execution has done."""
        row = self.table.cursor_row
        if row is None:
            self.console_app.show_message("There is no execution to open.")
            return
        path, engine, function = row.one.path, self.console_app.engine, self._function
        self._history, self._below = None, (f"reading the history of {row.one.name}…", "muted")
        self._show_now()
        self._read("history", lambda: engine.history(function, path), self._opened)

    def on_keyed_table_opened(self, event: KeyedTable.Opened) -> None:
        """Open an execution on a double click."""
        self.action_open()

    def action_mitigate(self, name: str) -> None:
        """Start a mitigation of the function; nothing is sent before the dialog says so."""
        self.console_app.mitigation_flow.mitigate(name, self.selection())

    def action_back(self) -> None:
        """Return to where it was opened."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the dashboard's keys except Enter and Esc."""
        return action not in {*ELSEWHERE, "pane", "mark"} - {"open"}

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield the keys that apply here."""
        yield BY_ID["back"]
        yield from in_scope("target", "everywhere")

    # -- answers ---------------------------------------------------------------------------------

    def _listed(self, answer: RunningExecutions | LambdatopError) -> None:
        if isinstance(answer, LambdatopError):
            self._words = (f"which executions run is not known: {answer}", "warning")
        else:
            self._found = answer

    def _opened(self, answer: ExecutionHistory | LambdatopError) -> None:
        if isinstance(answer, LambdatopError):
            self._below = (f"what it has done is not known: {answer}", "warning")
        else:
            self._history = answer

    def _read(self, group: str, ask: Callable[[], Future[Any]], take: Callable[[Any], None]) -> None:
        """Ask in the background; a newer question of the same group replaces this one."""
        background(self, partial(self._answered, ask, take), group=group, exclusive=True)

    async def _answered(self, ask: Callable[[], Future[Any]], take: Callable[[Any], None]) -> None:
        try:
            take(await ending(ask()))
        except LambdatopError as error:
            take(error)
        self._show_now()

    def _show_now(self) -> None:
        if self.is_mounted:
            self.show_or_report(self.console_app.frame)
