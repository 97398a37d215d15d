"""What the console states about the incident agrees with the emulator's own counters."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

import pytest
from fakes.time_limit import PATIENCE_S

from lambdatop.cli.compose import engine_thread, wire
from lambdatop.cli.context import settle
from lambdatop.cli.demo_session import DemoJournal, DemoRun, demo_settings
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.engine.thread import EngineThread

pytestmark = pytest.mark.wire

FINDINGS = {"sqs_redelivery", "dlq_growth", "error_rate"}


def _incident(engine: EngineThread) -> Snapshot:
    """Return the first snapshot that states the whole incident."""
    deadline = time.monotonic() + PATIENCE_S
    tick = threading.Event()
    while time.monotonic() < deadline:
        shot = engine.latest()
        if {f.detector for f in shot.findings} >= FINDINGS:
            return shot
        tick.wait(0.1)
    raise AssertionError(f"only {[f.detector for f in engine.latest().findings]} within 60 s")


def test_the_finding_agrees_with_the_counters(tmp_path: Path) -> None:
    context = settle(argparse.Namespace(), {"HOME": str(tmp_path)})
    context = context.with_settings(demo_settings(context.settings, "poison-queue"))
    demo = DemoRun("poison-queue", read_only=True)
    try:
        with wire(context, demo.locate, DemoJournal(demo)) as parts:
            engine = engine_thread(context, parts)
            engine.start()
            try:
                shot = _incident(engine)
                assert demo.demo is not None
                counted = demo.demo.ledger()["queues"]
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
    # The ledger was read after the snapshot was made: it may be ahead, by as much as the machine is slow.
    for name in ("received", "deleted"):
        stated = evidence[name]
        assert isinstance(stated, float)
        assert 0 < stated <= orders[name]
    ratio = float(evidence["received"] or 0) / float(evidence["deleted"] or 1)
    assert evidence["redelivery_ratio"] == round(ratio, 2)
    visible, grown = evidence["dlq_visible"], evidence["dlq_grown"]
    assert isinstance(visible, int)
    assert isinstance(grown, int)
    # Arrivals are counted as they happen; the ledger's own depth is sampled, and may be behind.
    arrived = dead["sent"] + dead["arrived_by_redrive"]
    assert 0 < grown <= arrived
    assert 0 < visible <= arrived
