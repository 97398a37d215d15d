"""Records the demo's scenarios into tests/scenes: every event of a headless run, once, for tests without it.

    python -m bench.record_scenes [--seconds S] [--every K] [--log FUNCTION …] [--out DIRECTORY] [SCENARIO …]

Run by `make scenes`. What makes a recording large is thinned out on the way: only every k-th metrics round
is kept (each holds the whole history), lists that say the same again are kept once a minute, and our own
spend and the journal, which no detector reads, are left out. Log lines weigh most, because ids in them do not
compress: where a recording would be too large, LOGS names the functions whose logs matter. Labels stand
in tests/scenes/labels.yaml.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bench.headless import playing, watch_all
from msgspec.structs import replace

from lambdatop import __version__
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.ports.aws import EventSink
from lambdatop.domain.state import events as ev
from lambdatop.storage.recordings.recording import Header, Recorder

SCENES = Path(__file__).resolve().parents[1] / "scenes"
SECONDS = {
    "busy-schedule": 100.0,
    "durable-replay": 100.0,
    "endless-retry": 90.0,
    "held-queue": 100.0,
    "calm": 60.0,
    "loop": 80.0,
    "quota-squeeze": 90.0,
    "resource-limits": 100.0,
}
DEVELOP_S = 120.0
LOGS = {
    "busy-schedule": ("price-sync",),
    "durable-replay": ("order-saga",),
    "endless-retry": ("carrier-booking",),
    "held-queue": ("refund-worker",),
    "loop": ("address-cleaner",),
    "quota-squeeze": ("price-importer",),
    "reserved-one": ("meter-gateway",),
    "resource-limits": ("invoice-archiver", "webhook-relay", "catalog-api", "image-resizer"),
}
"""Whose logs are kept where all of them would be too large."""

REPEAT_S = 60.0
LIMIT_BYTES = 300_000
UNREAD = (ev.SpendObserved, ev.JournalRead, ev.AlarmsObserved)


class Thinned:
    """An EventSink in front of another that lets through what a replay needs."""

    def __init__(self, sink: EventSink, every: int) -> None:
        self._sink = sink
        self._every = every
        self._metrics = 0
        self._last: dict[object, tuple[float, object]] = {}

    def __call__(self, events: Sequence[ev.Event]) -> None:
        self._sink([event for event in events if self._wanted(event)])

    def _wanted(self, event: ev.Event) -> bool:
        if isinstance(event, UNREAD) or (isinstance(event, ev.LogsObserved) and not event.lines):
            return False
        if isinstance(event, ev.MetricsObserved):
            self._metrics += 1
            return self._metrics % self._every == 1 or self._every == 1
        if isinstance(event, ev.LogsObserved):
            return True
        return self._is_news(event)

    def _is_news(self, event: ev.Event) -> bool:
        kind = (type(event), event.source) if isinstance(event, ev.SourceReported) else type(event)
        at, said = self._last.get(kind, (0.0, None))
        now = _without_time(event)
        if said == now and event.at - at < REPEAT_S:
            return False
        self._last[kind] = (event.at, now)
        return True


def _without_time(event: ev.Event) -> object:
    """Return the content of an event without its moment."""
    if isinstance(event, ev.QueuesObserved):
        event = replace(event, queues=tuple(_timeless(q) for q in event.queues))
    return replace(event, at=0.0)


def _timeless(facts: QueueFacts) -> QueueFacts:
    return replace(facts, at=0.0)


def record(scenario: str, seconds: float, every: int, out: Path, logs: Sequence[str] = ()) -> int:
    """Record one scenario with the logs of some functions (all of them by default); the size in bytes."""
    from lambdatop.cli.demo_session import demo_settings
    from lambdatop.domain.settings.settings import Settings

    metrics = demo_settings(Settings(), scenario).metrics
    file = out / f"{scenario}.jsonl.gz"
    file.unlink(missing_ok=True)
    header = Header(time.time(), __version__, metrics.publish_delay_s, metrics.times, scenario)
    recorder = Recorder(file, header)
    with playing(scenario, Thinned(recorder, every)) as (thread, _):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            watch_all(thread, logs)
            threading.Event().wait(min(2.0, left))
    recorder.close()
    if recorder.error:
        raise SystemExit(recorder.error)
    file.chmod(0o644)  # it is source code from now on
    return file.stat().st_size


def main() -> int:
    """Record what was asked for; 1 when a file became too large."""
    from lambdatop.demo.scenarios import SCENARIOS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument("--seconds", type=float, help=f"default {DEVELOP_S:g}, calm {SECONDS['calm']:g}")
    parser.add_argument("--every", type=int, default=2, metavar="K", help="keep every k-th metrics round")
    parser.add_argument(
        "--log", action="append", default=[], metavar="FUNCTION", help="default: those that matter, or all"
    )
    parser.add_argument("--out", type=Path, default=SCENES)
    args = parser.parse_args()
    unknown = set(args.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    large = False
    for scenario in args.scenarios or SCENARIOS:
        seconds = args.seconds or SECONDS.get(scenario, DEVELOP_S)
        size = record(scenario, seconds, args.every, args.out, args.log or LOGS.get(scenario, ()))
        large = large or size > LIMIT_BYTES
        sys.stdout.write(f"{scenario}: {seconds:g} s, {size:,} bytes\n")
    return int(large)


if __name__ == "__main__":
    raise SystemExit(main())
