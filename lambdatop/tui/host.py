"""Declare what screens, panes, dialogs and flows use of the app that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, Protocol, cast

from textual.dom import DOMNode
from textual.reactive import reactive

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.plans.plan import Alternative, Plan
from lambdatop.domain.ports.console import Console, Result
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import Mode
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.hotkeys import Hotkey
from lambdatop.tui.selection import Selection
from lambdatop.tui.style.theme import ThemedApp


class MitigationFlow(Protocol):
    """Leads from a key to a plan and its confirmation."""

    def mitigate(self, name: str, selection: Selection) -> None:
        """Find the target of a mitigation, ask which where there are several, then confirm."""

    def undo(self, entry_id: str | None) -> None:
        """Confirm the undo of a journal entry, of the newest that can be undone for None."""

    def instead(self, alternative: Alternative) -> None:
        """Open another mitigation in place of the one on screen."""

    def related(self, function: Key | None) -> frozenset[Key]:
        """Return what belongs to a function: its triggers and queues."""


class VisibleRows(Protocol):
    """Tells the engine which functions are on screen."""

    def rows(self, keys: frozenset[Key]) -> None:
        """Note the functions whose rows are on screen now."""

    def everything(self) -> None:
        """Ask for all metrics of all functions once."""

    def hurry(self) -> None:
        """Show the first functions as they come."""


class ResultDialog(Protocol):
    """The dialog whose plan is executed."""

    @property
    def is_on_stack(self) -> bool:
        """Return whether it is open."""

    def show_result(self, result: Result) -> None:
        """Show how the plan ended."""


class Host(ThemedApp):
    """The app as its parts see it; `LambdatopApp` does what is declared here."""

    frame: reactive[Frame] = reactive(EMPTY_FRAME, repaint=False)
    engine: Console
    settings: Settings
    now: Callable[[], float]
    notice: str
    notes: Callable[[], tuple[str, ...]]
    arm_s: float
    save_log: Callable[[str, Iterable[str]], str] | None
    live_asked: bool | None
    mitigation_flow: MitigationFlow
    visible_rows: VisibleRows

    @property
    def mode(self) -> Mode:
        """Return whether changes may be sent."""
        raise NotImplementedError

    def show_message(
        self, words: str, severity: Literal["information", "warning", "error"] = "information"
    ) -> None:
        """Show a notification. Words may hold names from AWS, so they are never parsed as markup."""
        self.notify(self.inks.text(words), severity=severity, markup=False)

    def take_snapshot(self) -> None:
        """Take the newest snapshot."""
        raise NotImplementedError

    async def go_on(self) -> None:
        """Act on keys that were held back."""
        raise NotImplementedError

    def watch_logs(self) -> None:
        """Set the functions whose logs are on the screen."""
        raise NotImplementedError

    def look_up(self) -> None:
        """Ask for what invokes the functions on the screen."""
        raise NotImplementedError

    def ask_live(self, *, on: bool) -> None:
        """Read the logs on the screen through Live Tail, or by polling."""
        raise NotImplementedError

    def ask_who(self, key: Key, name: str) -> None:
        """Ask who changed a thing lately."""
        raise NotImplementedError

    def execute(self, plan: Plan, dialog: ResultDialog) -> None:
        """Hand a confirmed plan to the engine."""
        raise NotImplementedError

    async def run_hotkey(self, hotkey: Hotkey) -> None:
        """Run an entry of the table."""
        raise NotImplementedError

    def open_function(self, function: Key) -> None:
        """Open the page of a function."""
        raise NotImplementedError

    def open_executions(self, function: Key) -> None:
        """Open the running durable executions of a function."""
        raise NotImplementedError

    def open_log_errors(self, functions: frozenset[Key]) -> None:
        """Open the errors by kind of some functions."""
        raise NotImplementedError

    def open_finding(self, finding: Finding) -> None:
        """Open the page of a finding."""
        raise NotImplementedError


def host_of(node: DOMNode) -> Host:
    """Return the app that a node stands in."""
    return cast("Host", node.app)
