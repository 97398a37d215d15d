"""One scenario of the demo on the real engine without the console, for the tools beside it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from lambdatop.cli.context import settle
from lambdatop.cli.demo import forget_aws
from lambdatop.cli.demo_run import DemoJournal, DemoRun, demo_settings
from lambdatop.cli.wiring import engine_thread, wire
from lambdatop.domain.ports import EventSink
from lambdatop.domain.settings import Settings
from lambdatop.engine.thread import EngineThread


@contextmanager
def playing(scenario: str, record: EventSink | None = None) -> Iterator[tuple[EngineThread, Settings]]:
    """The engine while the scenario runs; `record` sees its events. Touches no AWS account."""
    forget_aws()
    context = settle(argparse.Namespace(), {"HOME": os.devnull})
    settings = demo_settings(context.settings, scenario)
    demo = DemoRun(scenario, read_only=True)
    try:
        with wire(context.with_settings(settings), demo.locate, DemoJournal(demo)) as parts:
            thread = engine_thread(context.with_settings(settings), parts, record)
            thread.start()
            try:
                demo.wait_until_it_runs()
                yield thread, settings
            finally:
                thread.stop()
    finally:
        demo.stop()


def watch_all(thread: EngineThread, names: Collection[str] = ()) -> None:
    """Follow the logs of the named functions, of every function that is known by now without names."""
    rows = thread.latest().functions
    thread.watch(frozenset(row.key for row in rows if not names or row.facts.name in names))
