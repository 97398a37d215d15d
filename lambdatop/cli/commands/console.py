"""Open the console (what happens without a command)."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.compose import Parts, engine_thread, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.terminal.dumb_terminal import is_dumb
from lambdatop.cli.terminal.signals import ENDS, GRACE_S, SIGNALLED, signals_end_it
from lambdatop.cli.terminal.splash import close, opening
from lambdatop.cli.unfinished import report_ends, under_way
from lambdatop.domain.errors import UsageError
from lambdatop.domain.ports.storage import JournalStore

if TYPE_CHECKING:
    from lambdatop.engine.thread import EngineThread
    from lambdatop.tui.app.app import LambdatopApp


SWITCH_S = 0.001
"""How long the engine's thread may keep the interpreter from a key. Python's own 5 ms, taken at each of the
dozen steps between key and paint, are felt while a log of thousands of lines a second is parsed."""


REACTIONS_PER_S = 1_000
"""Textual paints in steps of this length, 60 if nobody says otherwise: a key would wait for up to two of
them. It paints no more often than something changes, so this costs nothing."""

COLLECT_SELDOM = (500_000, 10, 1_000)
"""Python looks for cycles as often as a round makes ten thousand rows, and each time walks through lists of
ten thousand: 5 to 13 ms in which no key is answered. The app has it done between keys (`tui/app/idle_gc.py`),
so this is for the case that it does not get there."""


def run(args: argparse.Namespace) -> int:
    """Open the console on AWS."""
    refuse_without_terminal("lambdatop snapshot")
    context = settle(args)
    with wire(context, console=True) as parts:
        return open_console(context, parts)


def refuse_without_terminal(instead: str) -> None:
    """Refuse to start the console without a terminal on stdin, stdout and stderr (Textual paints on stderr).

    Raises:
        UsageError: stdin, stdout or stderr is not a terminal.
    """
    # Closed ones (`<&-`) are None.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(f"the console needs a terminal on stdin, stdout and stderr; use `{instead}` instead")


def open_console(
    context: Context,
    parts: Parts,
    notice: str = "",
    notes: Callable[[], tuple[str, ...]] = tuple,
    state_dir: Callable[[], Path] | None = None,
) -> int:
    """Run the engine in its thread and the app in this one.

    The first frame waits neither for AWS nor for the SDK. Leaving the app drains the engine, so a call on its
    way gets its outcome into the journal. `notice` stands in the header until the connection brings its own;
    `notes` stand at the top of the help. What is saved goes below `state_dir` (the demo has its own, which
    vanishes with it).
    """
    where = state_dir or (lambda: context.paths.state_dir)
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*COLLECT_SELDOM)
    with signals_end_it() as only_give_up:
        if is_dumb(os.environ):
            thread = engine_thread(context, parts)
            show = partial(_print_tables, context, thread)
        else:
            with opening(
                sys.stderr.fileno(), context.mode, ascii_only=not shows_unicode(sys.stdout.encoding)
            ):
                thread = engine_thread(context, parts)
                app = _app(context, parts, thread, notice, notes, where, vanishes=state_dir is not None)
            show = partial(_run_app, app, thread, mouse=not context.settings.screen.no_mouse)
        try:
            return show()
        finally:
            only_give_up(thread.give_up)
            _end(thread, parts.journal)


def _end(thread: EngineThread, journal: JournalStore) -> None:
    """Wait for what is on its way, and say how it ended: the screen that would have said it is gone."""
    before = under_way(journal)
    if before:
        stdio.message(
            f"waiting for the outcome of a change on its way, at most {GRACE_S:.0f} s "
            "(a second signal, as of Ctrl-C, ends the wait)"
        )
    if not thread.stop(GRACE_S):
        stdio.message("a call had not ended; `lambdatop journal --settle` determines its outcome")
    report_ends(journal, before)


def _print_tables(context: Context, thread: EngineThread) -> int:
    from lambdatop.cli.terminal.dumb_terminal import print_tables

    gc.enable()
    thread.start()
    return print_tables(thread, context.settings.screen.refresh)


def _run_app(app: LambdatopApp, thread: EngineThread, *, mouse: bool) -> int:
    # Two threads that import take three times as long: the engine's, which is slower, comes second.
    app.when_painted = partial(_begin, thread)
    try:
        app.run(mouse=mouse)
    finally:
        if app.when_painted is not None:  # the app never had the screen, so it did not give it back
            close(sys.stderr.fileno())
    if app.return_code and app.return_code > SIGNALLED:
        return app.return_code
    if app.return_code:
        stdio.message("the console ended because of an error; run with --debug to see where")
        return exit_codes.FAILED
    return exit_codes.DONE


def _app(
    context: Context,
    parts: Parts,
    thread: EngineThread,
    notice: str,
    notes: Callable[[], tuple[str, ...]],
    state_dir: Callable[[], Path],
    *,
    vanishes: bool,
) -> LambdatopApp:
    os.environ.setdefault("TEXTUAL_FPS", str(REACTIONS_PER_S))
    from lambdatop.config.theme_file import load_themes
    from lambdatop.tui.app.app import LambdatopApp
    from lambdatop.tui.terminal.capabilities import traits_of
    from lambdatop.tui.terminal.driver import TerminalDriver

    traits = traits_of(os.environ, ascii_only=not shows_unicode(sys.stdout.encoding))
    app = LambdatopApp(
        thread,
        context.settings,
        now=parts.clock.now,
        mode=context.mode,
        themes=load_themes(context.paths.theme_dirs),
        notice=notice,
        notes=notes,
        ascii_only=traits.ascii_only,
        no_color=traits.colors is None,
        debug=context.debug,
        save_log=saver(state_dir, parts.clock.now, vanishes=vanishes),
    )
    app.login = parts.login
    app.traits, app.driver_class = traits, TerminalDriver
    app.ends = ENDS
    app.typed, app.answered = parts.typed, parts.answered
    return app


def saver(
    state_dir: Callable[[], Path], now: Callable[[], float], *, vanishes: bool
) -> Callable[[str, Iterable[str]], str]:
    """Return what saves the lines of a named log and says where they are, and for how long."""
    from lambdatop.storage.exports import LogExports

    until = "; the demo deletes it when it ends" if vanishes else ""
    return lambda name, lines: f"{LogExports(state_dir(), now).save(name, lines)}{until}"


def _begin(thread: EngineThread) -> None:
    """Start what comes after the first frame."""
    gc.freeze()  # what was imported stays for good, so nobody needs to look through it
    gc.enable()
    thread.start()


def shows_unicode(encoding: str | None) -> bool:
    """Return whether a terminal with this encoding shows box drawing and sparklines."""
    return (encoding or "").lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32")
