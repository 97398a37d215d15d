"""What the console states about the incident agrees with the emulator's own counters."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable

import pytest

from lambdatop.cli.context import settle
from lambdatop.cli.demo_run import DemoJournal, DemoRun, demo_settings
from lambdatop.cli.wiring import engine_thread, wire
from lambdatop.demo.launch import Demo
from lambdatop.domain.snapshot import Snapshot
from lambdatop.engine.thread import EngineThread

pytestmark = pytest.mark.wire

FINDINGS = {"sqs_redelivery", "dlq_growth", "error_rate"}


def _incident(
    engine: EngineThread, dead_letters: Callable[[], int], seen: list[tuple[float, int]]
) -> Snapshot:
    """The first snapshot that states the whole incident; `seen` gets the counter on the way (s, messages)."""
    deadline = time.monotonic() + 60
    tick = threading.Event()
    while time.monotonic() < deadline:
        seen.append((time.time(), dead_letters()))
        shot = engine.latest()
        if {f.detector for f in shot.findings} >= FINDINGS:
            return shot
        tick.wait(0.1)
    raise AssertionError(f"only {[f.detector for f in engine.latest().findings]} within 60 s")


def _dead(demo: Demo) -> int:
    return int(demo.ledger()["queues"].get("orders-dlq", {}).get("visible", 0))


def test_the_finding_agrees_with_the_counters() -> None:
    context = settle(argparse.Namespace(), {"HOME": os.devnull})
    context = context.with_settings(demo_settings(context.settings, "poison-queue"))
    demo = DemoRun("poison-queue", read_only=True)
    seen: list[tuple[float, int]] = []
    try:
        with wire(context, demo.locate, DemoJournal(demo)) as parts:
            engine = engine_thread(context, parts)
            engine.start()
            try:
                demo.wait_until_it_runs()
                running = demo.demo
                assert running is not None
                shot = _incident(engine, lambda: _dead(running), seen)
                counted = running.ledger()["queues"]
            finally:
                engine.stop()
    finally:
        demo.stop()
    assert shot.storms[0].source_name == "orders"
    assert shot.storms[0].function.id == "orders-worker"
    finding = next(f for f in shot.findings if f.detector == "sqs_redelivery")
    evidence = dict(finding.evidence)
    orders, dead = counted["orders"], counted["orders-dlq"]
    assert (evidence["queue"], evidence["dlq"]) == ("orders", "orders-dlq")
    # The ledger was read after the snapshot was made, so it may be ahead, never behind.
    for name in ("received", "deleted"):
        stated = evidence[name]
        assert isinstance(stated, float)
        assert 0.4 * orders[name] <= stated <= orders[name]
    ratio = float(evidence["received"] or 0) / float(evidence["deleted"] or 1)
    assert evidence["redelivery_ratio"] == round(ratio, 2)
    visible, grown = evidence["dlq_visible"], evidence["dlq_grown"]
    assert isinstance(visible, int)
    assert isinstance(grown, int)
    assert 0 < grown <= dead["visible"]
    # What the counter said before the queue was read, and what it said after.
    (read_at,) = [q.facts.at for q in shot.queues if q.facts.name == "orders-dlq"]
    before = max((count for at, count in seen if at < read_at - 1), default=0)
    assert before <= visible <= dead["visible"]
