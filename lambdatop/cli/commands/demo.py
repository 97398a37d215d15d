"""Run an incident on the embedded emulator: real functions, real queues, no AWS account."""

from __future__ import annotations

import argparse
import importlib.util
import os
import threading
from typing import TYPE_CHECKING

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.commands.console import open_console, refuse_without_terminal
from lambdatop.cli.compose import engine_thread, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.demo_session import DemoJournal, DemoRun, DemoSpills, demo_settings
from lambdatop.cli.options import seconds
from lambdatop.cli.show import show
from lambdatop.domain.error_words import did_you_mean
from lambdatop.domain.errors import LambdatopError, UsageError
from lambdatop.report.text.table import text_table

if TYPE_CHECKING:
    from lambdatop.domain.state.snapshot import Snapshot
    from lambdatop.engine.thread import EngineThread

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")
_MEANINGLESS = ("profile", "region", "endpoint_url", "state_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--scenario", default="poison-queue", metavar="NAME", help="default poison-queue")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument(
        "--headless", type=seconds, metavar="SECONDS", help="print the snapshot after SECONDS"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document (with --headless or --list)")


def run(args: argparse.Namespace) -> int:
    """List, print or open.

    Raises:
        UsageError: unknown scenario, no emulator installed, or no terminal for the console.
    """
    forget_aws()
    from lambdatop.demo.scenarios import SCENARIOS

    if args.list:
        return _list(args.json)
    if args.scenario not in SCENARIOS:
        hint = did_you_mean(args.scenario, SCENARIOS)
        raise UsageError(f"unknown scenario {args.scenario!r}{hint} (there are {', '.join(SCENARIOS)})")
    if args.json and args.headless is None:
        raise UsageError("--json needs --headless SECONDS or --list")
    if args.headless is None:
        refuse_without_terminal("lambdatop demo --headless 60")
    _refuse_without_emulator()
    context = _context(args)
    return _play(context, args)


def _play(context: Context, args: argparse.Namespace) -> int:
    demo = DemoRun(args.scenario, read_only=context.settings.read_only)
    try:
        with wire(context, demo.locate, DemoJournal(demo), DemoSpills(demo)) as parts:
            if args.headless is None:
                return open_console(
                    context, parts, notice="DEMO", notes=lambda: demo.notices, state_dir=demo.state_dir
                )
            thread = engine_thread(context, parts)
            thread.start()
            try:
                demo.wait_until_it_runs()
                threading.Event().wait(args.headless)
                snapshot = _first_snapshot(thread)
            finally:
                thread.stop()
        for notice in (
            *demo.notices,
            "The spend is computed at AWS's list prices; the emulator bills nothing.",
        ):
            stdio.message(f"note: {notice}")
        show(snapshot, "json" if args.json else "table")
        return exit_codes.DONE
    finally:
        demo.stop()


def _first_snapshot(thread: EngineThread) -> Snapshot:
    """Return a snapshot with what was not asked; before there is a connection, the empty one."""
    try:
        return thread.snapshot_once(0.0).result()
    except LambdatopError:
        return thread.latest()


def forget_aws() -> None:
    """Drop everything in this process's environment that could lead to a real account.

    The demo's connection is isolated anyway; this is the second wall, before anything else is read.
    """
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower() in _PROXIES or name.startswith("BOTO"):
            del os.environ[name]


def _context(args: argparse.Namespace) -> Context:
    """Return the user's looks and mode with the demo's paces; profile, region and endpoint do not apply."""
    for name in _MEANINGLESS:
        if hasattr(args, name):
            stdio.message(f"note: --{name.replace('_', '-')} has no effect in the demo")
            delattr(args, name)
    environ = {
        k: v for k, v in os.environ.items() if k.removeprefix("LAMBDATOP_").lower() not in _MEANINGLESS
    }
    context = settle(args, environ)
    return context.with_settings(demo_settings(context.settings, args.scenario))


def _refuse_without_emulator() -> None:
    if importlib.util.find_spec("ministack") is None and not os.environ.get("LAMBDATOP_DEMO_PYTHON"):
        raise UsageError("the demo needs the emulator: pip install 'lambdatop[demo]'")


def _list(as_json: bool) -> int:
    from lambdatop.demo.scenarios import SCENARIOS

    if as_json:
        rows = [{"name": s.name, "title": s.title, "story": s.story} for s in SCENARIOS.values()]
        stdio.document({"schema": "lambdatop.scenarios/1", "scenarios": rows})
    else:
        stdio.data(text_table(("SCENARIO", "WHAT HAPPENS"), [[s.name, s.title] for s in SCENARIOS.values()]))
    return exit_codes.DONE
