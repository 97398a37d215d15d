"""One scenario of the demo on the real engine without the console, for the tools beside it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from msgspec.structs import fields, replace

from lambdatop.cli.commands.demo import forget_aws
from lambdatop.cli.compose import engine_thread, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.demo_session import DemoJournal, DemoRun, demo_settings
from lambdatop.domain.ports.aws import EventSink
from lambdatop.domain.settings.settings import Paces, Settings
from lambdatop.engine.thread import EngineThread


@contextmanager
def playing(scenario: str, record: EventSink | None = None) -> Iterator[tuple[EngineThread, Settings]]:
    """Yield the engine while the scenario runs; `record` receives its events.

    Touches no AWS account.
    """
    forget_aws()
    context = settle(argparse.Namespace(), {"HOME": "/no-home"})
    context = context.with_settings(demo_settings(context.settings, scenario))
    demo = DemoRun(scenario, read_only=True)
    try:
        with _engine(context, demo, record) as thread:
            demo.wait_until_it_runs()
            yield thread, context.settings
    finally:
        demo.stop()


@contextmanager
def racing(scenario: str, times: float) -> Iterator[tuple[EngineThread, EngineThread]]:
    """Yield two engines on one scenario: the demo's, and one whose rounds are `times` as frequent."""
    forget_aws()
    context = settle(argparse.Namespace(), {"HOME": "/no-home"})
    context = context.with_settings(demo_settings(context.settings, scenario))
    paces = context.settings.paces
    faster = Paces(**{f.name: getattr(paces, f.name) / times for f in fields(paces)})
    demo = DemoRun(scenario, read_only=True)
    try:
        with (
            _engine(context, demo) as thread,
            _engine(context.with_settings(replace(context.settings, paces=faster)), demo) as ahead,
        ):
            demo.wait_until_it_runs()
            yield thread, ahead
    finally:
        demo.stop()


@contextmanager
def _engine(context: Context, demo: DemoRun, record: EventSink | None = None) -> Iterator[EngineThread]:
    with wire(context, demo.locate, DemoJournal(demo)) as parts:
        thread = engine_thread(context, parts, record)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()


def watch_all(thread: EngineThread, names: Collection[str] = ()) -> None:
    """Follow the logs of the named functions, of every function that is known by now without names."""
    rows = thread.latest().functions
    thread.watch(frozenset(row.key for row in rows if not names or row.facts.name in names))
