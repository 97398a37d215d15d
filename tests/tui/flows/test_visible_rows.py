"""What the console tells the engine about looking, and what the header says of the plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import functions, press, settle, show, started, text, toasts
from msgspec.structs import replace

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.state.snapshot import Snapshot, SourceRow, Target
from lambdatop.domain.state.world import Spend
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import metrics_old
from lambdatop.tui.panes.functions import SPEC as FUNCTIONS
from lambdatop.tui.panes.functions import FunctionsPane
from lambdatop.tui.style.spans import plain, width_of
from lambdatop.tui.widgets.header import second_line

MakeApp = Callable[..., LambdatopApp]
CALM = PollingStatus(
    "calm",
    60,
    3_828,
    701,
    None,
    300,
    771,
    66,
    4_211,
    1.8,
    0.048,
    2_120,
    slowed="rows slower",
    full_usd=0.0212,
)
WRONG = replace(CALM, spending="wrong", discovery_s=900, detail_s=60, slowed="others slower")


def many(count: int, **fields: object) -> Snapshot:
    """Return so many functions, the same again and again under other names."""
    (row, *_) = scene.functions()
    rows = tuple(
        replace(row, facts=replace(row.facts, key=row.key._replace(id=f"f{i:03d}")), heat=0.0, worst="")
        for i in range(count)
    )
    return scene.snapshot(functions=rows, incidents=(), findings=(), **fields)


def header(planned: PollingStatus | None, width: int) -> str:
    snapshot = scene.snapshot(polling=planned, alarms=())
    target: Target = replace(snapshot.targets[0], credentials_expire_at=None)
    frame = Frame(replace(snapshot, targets=(target,)), scene.NOW + 2)
    line = second_line(frame, width)
    assert width_of(line) == width
    return "".join(piece.text for piece in line)


# -- rows on screen --------------------------------------------------------------------------------


async def test_rows_on_screen_are_told_when_they_change_and_only_then(
    make_app: MakeApp, console: FakeConsole, clock: Clock
) -> None:
    console.snapshot = many(200)
    app = make_app()
    async with started(app) as pilot:
        rows, full = console.looks[-1]
        height = functions(app).table.page_lines
        assert not full
        assert sorted(k.id for k in rows) == [f"f{i:03d}" for i in range(height)]
        before = len(console.looks)
        for _ in range(3):
            clock.at += 1
            show(app, console, many(200))
            await settle(pilot)
        assert len(console.looks) == before, "the same rows are not told again"
        await press(pilot, "G")
        clock.at += 1
        show(app, console, many(200))
        await settle(pilot)
        assert len(console.looks) == before + 1
        assert sorted(k.id for k in console.looks[-1][0]) == [f"f{i:03d}" for i in range(200 - height, 200)]


async def test_a_pane_that_is_not_shown_has_no_rows_on_screen(
    make_app: MakeApp, console: FakeConsole, clock: Clock
) -> None:
    console.snapshot = many(20)
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        assert console.looks[-1][0]
        await press(pilot, "4")
        clock.at += 1
        show(app, console, many(20))
        await settle(pilot)
        assert console.looks[-1] == (frozenset(), False)


# -- everything now --------------------------------------------------------------------------------


async def test_full_detail_says_what_it_costs(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = many(20, polling=CALM)
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "d")
        rows, full = console.looks[-1]
        assert full
        assert len(rows) == functions(app).table.page_lines or len(rows) == 20
        assert toasts(app)[-1] == "Asking for all metrics of all functions once: 2,120 series, $0.0212."


async def test_what_costs_more_than_an_hour_may_is_asked_for_twice(
    make_app: MakeApp, console: FakeConsole, clock: Clock
) -> None:
    dear = replace(CALM, full_units=500_000, full_usd=5.0)
    console.snapshot = many(20, polling=dear, spend=Spend((), 0.0, 0.0, 0.5))
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "d")
        assert not console.looks[-1][1]
        assert "500,000 series, $5.0" in toasts(app)[-1]
        assert "Press d again within 10 s" in toasts(app)[-1]
        clock.at += 11
        await press(pilot, "d")
        assert not console.looks[-1][1], "too late is a first key again"
        await press(pilot, "d")
        assert console.looks[-1][1]


async def test_before_the_first_plan_nothing_is_asked_for(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = many(20)
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "d")
        assert not any(full for _, full in console.looks)
        assert "not known yet" in toasts(app)[-1]


# -- header and rows -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_header_shows_the_discovery_interval_and_what_is_slow(width: int) -> None:
    assert "discovery 63m  rows 11m" in header(CALM, width)
    assert "discovery 15m" in header(WRONG, width)
    assert "rows" not in header(WRONG, width)
    assert "$0.0147" in header(CALM, width)


def test_without_a_plan_or_a_budget_the_header_says_nothing_of_it() -> None:
    for planned in (None, replace(CALM, spending="unlimited")):
        assert "discovery" not in header(planned, 120)
    assert "own API calls $0.0147 in all, $0.041 of $0.5/h" in header(None, 80)


def test_what_the_budget_slows_down_in_an_incident_is_a_warning() -> None:
    def slot(planned: PollingStatus) -> str:
        line = second_line(Frame(scene.snapshot(polling=planned), scene.NOW), 200)
        return next(piece.slot for piece in line if piece.text.startswith("discovery"))

    assert (slot(CALM), slot(WRONG), slot(replace(WRONG, slowed=""))) == ("muted", "warning", "muted")


def test_a_row_is_old_by_the_pace_at_which_it_is_asked_for() -> None:
    row = replace(scene.functions()[0], as_of=scene.NOW - 1_000.0)
    assert metrics_old(row, Frame(scene.snapshot(), scene.NOW))
    assert not metrics_old(row, Frame(scene.snapshot(polling=CALM), scene.NOW))
    older = replace(row, as_of=scene.NOW - 1_500.0)
    assert metrics_old(older, Frame(scene.snapshot(polling=CALM), scene.NOW))
    assert metrics_old(row, Frame(scene.snapshot(polling=WRONG), scene.NOW))


async def test_the_plan_is_in_the_header_on_screen(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(polling=WRONG)
    app = make_app()
    async with started(app, (140, 40)):
        assert "discovery 15m" in text(app)


def test_a_list_that_is_still_being_read_says_so() -> None:
    begun = SourceRow("functions", "starting", None)
    whole, part = scene.snapshot(), scene.snapshot(sources=scene.sources(functions=begun))
    words = [plain(FunctionsPane(FUNCTIONS).middle(3, 3, Frame(seen, scene.NOW))) for seen in (whole, part)]
    assert ["so far" in text for text in words] == [False, True]
