"""The panes on a recorded incident: what really happened on the emulator, without the emulator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from fakes.fake_console import FakeConsole
from fakes.screens import looking, press, text
from scenes.scene import recorded, snapshots

from lambdatop.domain.snapshot import Snapshot
from lambdatop.tui.app import LambdatopApp

MakeApp = Callable[..., LambdatopApp]


@cache
def incident() -> Snapshot:
    """The last snapshot of the recorded poison queue."""
    return list(snapshots(recorded("poison-queue")))[-1]


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
    async with looking(app, (200, 60)) as pilot:
        await press(pilot, key, "z", *("x" if key == "5" else ""))
        shown = text(app)
        for word in words:
            assert word in shown, word


def test_the_recording_holds_the_incident() -> None:
    stated = {(f.detector, f.target.name) for f in incident().findings if f.rank > 0}
    assert {("sqs_redelivery", "orders"), ("dlq_growth", "orders-dlq")} <= stated
    assert incident().storms[0].source_name == "orders"
