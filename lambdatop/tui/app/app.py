"""Run the console as a Textual app: take the newest snapshot, pass it on, open screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import isawaitable
from typing import Literal

from textual import events
from textual.screen import Screen
from textual.widgets import Input

from lambdatop.config.theme_file import DEFAULT_THEME, NO_COLOR_THEME, Themes
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Console
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Mode, Snapshot
from lambdatop.tui._textual import QuietCrash
from lambdatop.tui.app.command_line import CommandLine
from lambdatop.tui.app.idle_gc import Tidying
from lambdatop.tui.app.key_priority import KeyFirst
from lambdatop.tui.app.login import LogsIn
from lambdatop.tui.app.palette import HotkeyCommands
from lambdatop.tui.bindings import bindings
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.flows.mitigation import ConsoleFlow
from lambdatop.tui.flows.visible_rows import VisibleRowsFlow
from lambdatop.tui.frame import Frame
from lambdatop.tui.futures import background, ending
from lambdatop.tui.host import Host, ResultDialog
from lambdatop.tui.hotkeys import BY_ID, WHERE, Hotkey
from lambdatop.tui.screens.base import FrameScreen
from lambdatop.tui.screens.changed_by import WhoScreen
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.executions import ExecutionsScreen
from lambdatop.tui.screens.finding import FindingScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.screens.help import HelpScreen
from lambdatop.tui.screens.journal import JournalScreen
from lambdatop.tui.screens.log_errors import LogErrorsScreen
from lambdatop.tui.screens.spend import SpendScreen
from lambdatop.tui.terminal.suspend import TerminalApp

FASTEST_S = 0.25
ARM_S = 0.4
"""Seconds from a filled confirm dialog to the first key it takes."""

QUIT_NOW = BY_ID["quit_now"].keys.split(",")
FROM_TERMINAL = (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur)


class LambdatopApp(LogsIn, CommandLine, Tidying, KeyFirst, QuietCrash, TerminalApp, Host):
    """The console. All its data comes from `console.latest()`; only the engine changes anything."""

    ALLOW_SELECT = False  # by dragging: a click on a toast that has just gone would end the console
    CSS_PATH = "app.tcss"
    TITLE = "lambdatop"
    BINDINGS = bindings("everywhere")
    COMMANDS = {HotkeyCommands}  # noqa: RUF012 (Textual declares it so)
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        console: Console,
        settings: Settings,
        *,
        now: Callable[[], float],
        mode: Mode = "operator",
        themes: Themes | None = None,
        notice: str = "",
        notes: Callable[[], tuple[str, ...]] = tuple,
        ascii_only: bool = False,
        no_color: bool = False,
        debug: bool = False,
        arm_s: float = ARM_S,
        save_log: Callable[[str, Iterable[str]], str] | None = None,
    ) -> None:
        """Make the app.

        `now` is the clock (s since the epoch), `notice` for the header, `notes` for the help. `save_log`
        writes the lines of a named log to a file and returns where it is (or raises LambdatopError).
        """
        themes = themes or Themes()
        super().__init__(themes.themes.values(), ascii_only=ascii_only, no_color=no_color)
        self.engine = console
        self.settings = settings
        self.now = now
        self._mode: Mode = mode
        self.notice = notice
        self.notes = notes
        self.arm_s = arm_s
        self.save_log = save_log
        self.debug_traceback = debug
        self.mitigation_flow = ConsoleFlow(self)
        self.visible_rows = VisibleRowsFlow(self)
        self._themes = themes
        self._no_color = no_color
        self._frozen: tuple[Snapshot, float] | None = None
        self._watched: tuple[frozenset[Key], bool | None] = (frozenset(), None)
        self.live_asked: bool | None = None

    @property
    def mode(self) -> Mode:
        """Read-only also where the configuration holds the account to it, once it is known which it is."""
        return "read-only" if any(t.forced for t in self.frame.snapshot.targets) else self._mode

    def get_default_screen(self) -> Screen[None]:
        """Return the dashboard, before anything is known."""
        return DashboardScreen()

    def on_mount(self) -> None:
        """Set the theme and read the first snapshot, then one every `screen.refresh` seconds."""
        self.set_class(self.inks.ascii_only, "-ascii")
        wanted = NO_COLOR_THEME if self._no_color else self.theme_for(self.settings.screen.theme)
        name, complaint = self._themes.choose(wanted)
        if name in self.own_themes:
            self.theme = name
        for words in (complaint, self._themes.message()):
            if words:
                self.show_message(words, "warning")
        self.set_interval(max(FASTEST_S, self.settings.screen.refresh), self.take_snapshot)
        self.call_after_refresh(self.take_snapshot)
        self.visible_rows.hurry()
        self.begin_tidying()

    # -- frames ----------------------------------------------------------------------------------

    def take_snapshot(self) -> None:
        """Take the newest snapshot; between two only ages move, once a second, and nothing while paused."""
        now = self.now()
        snapshot, paused_at = self._frozen or (self.engine.latest(), None)
        old = self.frame
        same = snapshot is old.snapshot and paused_at == old.paused_at
        only_time = paused_at is None and int(now) != int(old.now)
        if same and (not only_time or (snapshot is EMPTY_SNAPSHOT and old.now)):
            return
        self.frame = Frame(snapshot, now, paused_at, self.settings)

    def watch_frame(self, frame: Frame) -> None:
        """Hand it down to every screen."""
        for screen in self.screen_stack if self.is_running else ():
            if isinstance(screen, FrameScreen):
                screen.frame = frame

    def watch_logs(self) -> None:
        """Set the functions whose logs are on the screen."""
        keys = set()
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                keys |= set(screen.watched)
        wanted = frozenset(keys), self.live_asked
        if wanted != self._watched:
            self._watched = wanted
            self.engine.watch(*wanted)

    def look_up(self) -> None:
        """Ask for what invokes the functions on the screen: somebody opens one in full."""
        self.engine.watch(*self._watched)

    def ask_live(self, *, on: bool) -> None:
        """Read the logs on the screen through Live Tail, whatever it costs, or stop that."""
        self.live_asked = on
        self.watch_logs()
        price = "it costs 0.01 USD for each minute begun, until l or quitting ends it"
        self.show_message(f"Live Tail is on: {price}." if on else "Live Tail is off: lines are polled.")

    # -- keys ------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Handle every event; keys that were typed right behind a filter wait."""
        if self._comes_late(event):
            return
        if isinstance(event, events.Key) and event.is_forwarded and self.opening() is not None:
            return  # the widget that was given it stood on the screen below
        at_once = isinstance(event, events.Key) and event.key in QUIT_NOW  # never behind keys that wait
        if at_once or not self.held_back(event):
            await self.act_on(event)

    def _comes_late(self, event: events.Event) -> bool:
        """Return whether it was sent behind the key that quits, or while the screens are taken down."""
        return (self.is_ending or not self.screen_stack) and isinstance(event, FROM_TERMINAL)

    async def act_on(self, event: events.Event) -> None:
        """Act on an event, unless it was typed before a confirm dialog was filled and armed."""
        if self._comes_late(event):
            return
        fresh = isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded
        screen = self.screen if fresh else None
        if isinstance(screen, ConfirmScreen) and not screen.admits(event):
            return
        if isinstance(event, events.Key):
            if isinstance(screen, ConfirmScreen) and screen.takes(event):
                return
            if self._opens_line(screen, event.key):
                return
        await super().act_on(event)

    def _opens_line(self, screen: Screen[object] | None, key: str) -> bool:
        """Open the filter line, or the search line of a log, here and now.

        A key handed on to the focused widget is acted upon in that widget's own time, and what was
        typed right behind it (a slow line delivers `/orders` in one piece) would act as hotkeys.
        """
        if isinstance(self.focused, Input):
            return False
        for id_, host in (("filter", screen), ("search", self.focused if screen else None)):
            action = getattr(host, f"action_{BY_ID[id_].action}", None)
            if action is not None and key in BY_ID[id_].keys.split(","):
                action()
                return True
        return False

    async def run_hotkey(self, hotkey: Hotkey) -> None:
        """Run an entry of the table, from the palette: on the screen that is below it, when that is there."""
        if not self.screen.is_mounted:
            self.screen.call_later(self.run_hotkey, hotkey)
            return
        for node in (self.screen.focused, self.screen, self):
            name, _, argument = hotkey.action.partition("(")
            method = getattr(node, f"action_{name}", None)
            if method is not None:
                result = method(*([argument.strip("')")] if argument else []))
                if isawaitable(result):
                    await result
                return
        self.show_message(f"{hotkey.label}: works on the {WHERE[hotkey.scope]} only.")

    def open_function(self, function: Key) -> None:
        """Open one function in full."""
        self.push_screen(FunctionScreen(function), lambda _: self.watch_logs())

    def open_executions(self, function: Key) -> None:
        """Open the running durable executions of a function; a dialog that is open stays alone."""
        if not self.screen.is_modal:
            self.push_screen(ExecutionsScreen(function))

    def open_log_errors(self, functions: frozenset[Key]) -> None:
        """Open errors by kind, from Logs Insights."""
        self.push_screen(LogErrorsScreen(functions))

    def open_finding(self, finding: Finding) -> None:
        """Open one finding in full."""
        screen = FindingScreen(finding, self.frame.snapshot)
        self.push_screen(screen, lambda _: self.watch_logs())

    def action_help(self) -> None:
        """Show all keys; the same key closes them."""
        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
        else:
            self.push_screen(HelpScreen())

    def action_journal(self) -> None:
        """Show the journal."""
        if not isinstance(self.screen, JournalScreen):
            self.push_screen(JournalScreen())

    def action_spend(self) -> None:
        """Show the API spend."""
        self.push_screen(SpendScreen(self.frame))

    def action_undo(self) -> None:
        """Undo the newest change of what the screen is about; of all on a screen about everything."""
        screen = self.screen
        if isinstance(screen, FrameScreen):
            screen.undo()
        else:
            self.mitigation_flow.undo(None)

    def ask_who(self, key: Key, name: str) -> None:
        """Show who changed a target lately; a dialog that is open stays alone."""
        if not self.screen.is_modal:
            self.push_screen(WhoScreen(name, lambda: self.engine.who(key), self.now))

    def action_refresh(self) -> None:
        """Collect everything now."""
        self.engine.refresh()
        self.show_message("Collecting everything now.")

    def action_full_detail(self) -> None:
        """Ask for all metrics of all functions once."""
        self.visible_rows.everything()

    def action_pause(self) -> None:
        """Freeze the display, or go on with the newest snapshot. Collecting goes on in any case."""
        self._frozen = None if self._frozen else (self.frame.snapshot, self.now())
        self.take_snapshot()

    def action_mouse(self) -> None:
        """Leave the mouse to the terminal, which selects text with it, or take it back."""
        ours = self.switch_mouse()
        if ours is None:
            self.show_message("There is no mouse here.", "warning")
        elif ours:
            self.show_message("The mouse clicks and scrolls in the console again.")
        else:
            self.show_message("The mouse is left to the terminal: drag to select text. m takes it back.")

    def action_theme(self) -> None:
        """Choose a theme; moving through the list shows each at once."""
        names = sorted(self.own_themes)
        before = self.theme

        def chosen(name: str | None) -> None:
            self._show_theme(name or before)

        if names:
            current = names.index(before) if before in names else 0
            options = tuple((name, name) for name in names)
            screen = ChooseScreen("theme", options, current=current, on_highlight=self._show_theme)
            self.push_screen(screen, chosen)
        else:
            self.show_message(
                f"No theme file could be read, so only {DEFAULT_THEME}'s stand-in is there.", "warning"
            )

    def _show_theme(self, name: str) -> None:
        self.theme = name
        self.call_after_refresh(self.repaint)

    def repaint(self) -> None:
        """Repaint everything: texts carry the colours of the theme they were made with."""
        frame = self.frame
        self.frame = Frame(frame.snapshot, frame.now, frame.paused_at, frame.settings)

    # -- mutations -------------------------------------------------------------------------------

    def execute(self, plan: Plan, dialog: ResultDialog) -> None:
        """Hand a confirmed plan to the engine. The wait for its end outlives the dialog."""
        confirmed_at = self.now()

        async def wait() -> None:
            result = await ending(self.engine.execute(plan, confirmed_at))
            if dialog.is_on_stack:
                dialog.show_result(result)
            else:
                severity: Literal["information", "warning"] = "warning"
                if result.kind == "applied":
                    severity = "information"
                self.show_message(f"{plan.title}: {result.kind}. {result.message}", severity)

        background(self, wait, group="execute")
