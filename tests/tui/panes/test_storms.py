"""Pane 2: which trigger repeats work, what it invokes, and what of that was not read."""

from __future__ import annotations

from collections.abc import Callable

import fakes.console_scene as scene
import pytest
from fakes.callers import NIGHTLY, schedule
from fakes.fake_console import FakeConsole
from fakes.screens import press, started, text
from fakes.worlds import WORKER, function
from msgspec.structs import replace

from lambdatop.domain.facts.callers import NAMED
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.snapshots.caller_rows import caller_rows
from lambdatop.domain.state.snapshot import FunctionRow, SourceRow
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.selection import newest_of

MakeApp = Callable[..., LambdatopApp]
WIDE = (180, 50)


def down(name: str, state: str, action: str) -> SourceRow:
    return replace(scene.sources()[1], name=name, state=state, age_s=None, error="no", action=action)


@pytest.mark.parametrize(
    ("name", "action"), [("mappings", "lambda:ListEventSourceMappings"), ("triggers", "lambda:GetPolicy")]
)
async def test_a_denied_source_is_not_no_triggers(make_app: MakeApp, name: str, action: str) -> None:
    calm = scene.snapshot(storms=(), mappings=(), queues=())
    others = tuple(s for s in calm.sources if s.name != name)
    app = make_app(console=FakeConsole(replace(calm, sources=(*others, down(name, "denied", action)))))
    async with started(app, WIDE) as pilot:
        await press(pilot, "2")
        assert f"whether there are triggers is not known ({action} denied)" in text(app)
        assert f"allow {action}" in text(app)
        assert "reading triggers" not in text(app)


async def test_a_source_that_lacks_single_rows_greys_nothing(make_app: MakeApp) -> None:
    seen = scene.snapshot()
    others = tuple(s for s in seen.sources if s.name != "triggers")
    denied = down("triggers", "denied", "lambda:GetPolicy")
    app = make_app(console=FakeConsole(replace(seen, sources=(*others, denied))))
    async with started(app, WIDE) as pilot:
        await press(pilot, "2")
        assert "triggers denied: allow lambda:GetPolicy" in text(app)
        pane = app.screen.query_one("#storms-table")
        assert not pane.greyed  # type: ignore[attr-defined]


async def test_single_reads_are_named_where_nothing_was_found(make_app: MakeApp) -> None:
    calm = scene.snapshot(storms=(), mappings=(), queues=())
    gap = Gap("triggers", "lambda:GetPolicy", "orders-worker", "denied")
    app = make_app(console=FakeConsole(replace(calm, gaps=(gap,))))
    async with started(app, WIDE):
        assert "no triggers in what was read (lambda:GetPolicy denied)" in text(app)


async def test_the_alias_stands_behind_the_function(make_app: MakeApp) -> None:
    seen = scene.snapshot()
    storms = (replace(seen.storms[0], qualifier="live"), *seen.storms[1:])
    app = make_app(console=FakeConsole(replace(seen, storms=storms)))
    async with started(app, WIDE) as pilot:
        await press(pilot, "2")
        assert f"{storms[0].function.id}:live" in text(app)


async def test_a_schedule_is_a_row_with_its_settings_and_its_own_age(make_app: MakeApp) -> None:
    seen = scene.snapshot()
    worker = FunctionRow(function(), error_rate=0.5)
    (row,) = caller_rows(worker, (schedule(),), EMPTY_WORLD, {})
    late = replace(row, as_of=scene.NOW - 86_400.0)
    app = make_app(console=FakeConsole(replace(seen, storms=(late, *seen.storms))))
    async with started(app, (220, 50)) as pilot:
        await press(pilot, "2")
        shown = text(app)
        assert "schedule default/nightly → orders-worker" in shown
        assert "ENABLED, rate(1 minute) UTC" in shown
        assert "retried 185 times within 24 h" in shown


async def test_a_key_on_the_row_of_a_schedule_is_about_that_schedule(make_app: MakeApp) -> None:
    seen = scene.snapshot()
    others = tuple(schedule(key=NIGHTLY._replace(id=f"default/{n}")) for n in range(NAMED + 1))
    rows = tuple(caller_rows(FunctionRow(function(), error_rate=0.5), others, EMPTY_WORLD, {}))
    console = FakeConsole(replace(seen, storms=(rows[3], rows[-1])))
    app = make_app(console=console)
    async with started(app, (220, 50)) as pilot:
        await press(pilot, "2", "K")
        assert console.calls == [("disable_schedule", (NIGHTLY._replace(id="default/3"), {}))]
        await press(pilot, "escape", "j", "K")
        # A row that stands for several asks which one.
        assert console.calls[1:] == [("related schedule", WORKER)]


def test_an_undo_on_the_page_of_a_function_finds_the_change_of_its_schedule() -> None:
    change = scene.entry("e1", "applied", mitigation="disable_schedule", target=NIGHTLY)
    others = scene.entry("e2", "applied", target=NIGHTLY._replace(id="default/other"))
    seen = scene.snapshot(journal=(change, others), callers={WORKER: (schedule(),)})
    assert newest_of(WORKER, seen) == "e1"
