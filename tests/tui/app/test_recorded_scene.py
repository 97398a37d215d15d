"""The panes on a recorded incident: what really happened on the emulator, without the emulator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from fakes.fake_console import FakeConsole
from fakes.screens import press, started, text
from scenes.scene import recorded, recorded_names, snapshots

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.finding import page
from lambdatop.tui.panes.findings import found

MakeApp = Callable[..., LambdatopApp]


@cache
def last_of(name: str) -> Snapshot:
    """Return the last snapshot of a recorded scenario."""
    return list(snapshots(recorded(name)))[-1]


def incident() -> Snapshot:
    """Return the recorded poison queue."""
    return last_of("poison-queue")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("1", ("orders-worker", "checkout-api", "stock-sync")),
        ("2", ("orders", "orders-worker")),
        ("5", ("orders", "orders-dlq", "orders-worker")),
    ],
    ids=["functions", "storms", "findings"],
)
async def test_the_panes_show_a_recorded_incident(
    make_app: MakeApp, console: FakeConsole, key: str, words: tuple[str, ...]
) -> None:
    console.snapshot = incident()
    app = make_app(now=lambda: incident().at + 0.5)
    async with started(app, (200, 60)) as pilot:
        await press(pilot, key, "z", *("x" if key == "5" else ""))
        shown = text(app)
        for word in words:
            assert word in shown, word


def test_the_recording_holds_the_incident() -> None:
    stated = {(f.detector, f.target.name) for f in incident().findings if f.rank > 0}
    assert {("sqs_redelivery", "orders"), ("dlq_growth", "orders-dlq")} <= stated
    assert incident().storms[0].source_name == "orders"


@pytest.mark.parametrize("name", [n for n in recorded_names() if n != "calm"])
def test_every_recorded_incident_is_told_by_the_panes(name: str) -> None:
    """One line for the incident, its findings below it, each with a page that proves it."""
    snapshot = last_of(name)
    frame = Frame(snapshot, snapshot.at + 1, None, Settings())
    demanded = {(must.detector, must.target) for must in recorded(name).must}
    worst = snapshot.incidents[0]
    assert {(f.detector, f.target.name) for f in worst.findings} & demanded, worst.cause.title
    folded = list(found(snapshot))
    assert len(folded) == len(snapshot.incidents)
    opened = list(found(snapshot, {i.key for i in snapshot.incidents}))
    assert [row.finding for row in opened] == list(snapshot.findings)
    for finding in snapshot.findings:
        shown = "".join(piece.text for piece in page(frame, finding, 10_000))
        rule = REGISTRY[finding.detector].rule(frame.settings.detectors)
        for words in (finding.title, finding.formula, rule):
            assert words in shown, (finding.detector, words)
        assert all(evidence.replace("_", " ") in shown for evidence, _ in finding.evidence)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "poison-queue",
            ("orders → orders-worker", "again after 2 s, after 3 failed receives to orders-dlq"),
        ),
        ("endless-stream", ("payments-feed → ledger-writer", "repeated until the record expires in 23 h")),
        (
            "parent-child",
            ("eventbridge new-orders → order-splitter", "2 retries (throttled: up to 6 h), then"),
        ),
        ("loop", ("addresses → address-cleaner", "it invokes itself")),
    ],
)
async def test_the_worst_storm_says_what_becomes_of_a_failed_event(
    make_app: MakeApp, console: FakeConsole, name: str, words: tuple[str, ...]
) -> None:
    console.snapshot = last_of(name)
    app = make_app(now=lambda: console.snapshot.at + 0.5)
    async with started(app, (200, 60)) as pilot:
        await press(pilot, "2", "z")
        for word in words:
            assert word in text(app), word


def test_a_calm_day_is_calm() -> None:
    assert [f.title for f in last_of("calm").findings if f.rank > 0] == []


def test_whoever_feeds_itself_leads_the_storms() -> None:
    leading = last_of("loop").storms[:2]
    assert {row.function.id for row in leading} == {"address-cleaner", "retry-scheduler"}
    assert all(row.why.startswith("it invokes itself") for row in leading)
