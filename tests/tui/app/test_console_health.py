from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import dashboard, functions, press, settle, started, text
from msgspec.structs import replace
from textual.content import Content

from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.state.snapshot import SourceRow, Target
from lambdatop.tui._textual import title_room
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.panes.base import Pane
from lambdatop.tui.widgets.keyed_table import KeyedTable

MakeApp = Callable[..., LambdatopApp]
NARROW, WIDE = (80, 24), (200, 60)


# -- health ----------------------------------------------------------------------------------------


async def test_one_denied_source_greys_one_pane_only(make_app: MakeApp, console: FakeConsole) -> None:
    denied = SourceRow("queues", "denied", 180.0, "not authorized", "sqs:GetQueueAttributes")
    console.snapshot = scene.snapshot(sources=scene.sources(queues=denied))
    app = make_app()
    async with started(app) as pilot:
        assert "queues denied: allow sqs:GetQueueAttributes (data 3m old)" in text(app)
        assert "7/8 ok" in text(app)
        await settle(pilot)
        names = ("functions", "storms", "quotas")
        tables = {n: dashboard(app).query_one(f"#{n}-table", KeyedTable) for n in names}
        assert [n for n, table in tables.items() if table.greyed] == ["storms"]
        assert "1,284" in text(app)  # the old data stays


@pytest.mark.parametrize("pane", ["1", "4"], ids=["a table", "the log"])
async def test_why_there_is_no_connection_can_be_read_to_its_end(
    make_app: MakeApp, console: FakeConsole, pane: str
) -> None:
    error = (
        "The endpoint https://lambda.eu-central-1.amazonaws.com cannot be reached: its name does not exist. "
        "Check the network, the region and --endpoint-url; lambdatop tries again every ten seconds."
    )
    shown = scene.snapshot()
    lost = SourceRow("connection", "failed", None, error)
    console.snapshot = replace(shown, targets=(), sources=(lost,), functions=(), logs={})
    app = make_app()
    async with started(app, NARROW) as pilot:
        await press(pilot, pane)
        body = " ".join(" ".join(text(app).split("\n")[3:]).split())
        assert error in body


async def test_a_source_with_denied_reads_is_not_counted_as_well(
    make_app: MakeApp, console: FakeConsole
) -> None:
    gaps = (
        Gap("triggers", "lambda:GetPolicy", "a", "denied"),
        Gap("queues", "sqs:GetQueueAttributes", "a", "denied"),
        Gap("queues", "sqs:GetQueueAttributes", "b", "denied"),
        Gap("queues", "sqs:ListMessageMoveTasks", "b", "failed"),
        Gap("functions", "lambda:GetPolicy", None, "not asked", 40),
    )
    console.snapshot = scene.snapshot(gaps=gaps)
    app = make_app()
    async with started(app):
        shown = text(app)
    assert "7/8 ok" in shown, "there is no source called triggers in this scene, and turns come"
    assert "queues 2 reads denied, 1 read failed" in shown


async def test_denied_concurrency_greys_its_column_only(make_app: MakeApp, console: FakeConsole) -> None:
    denied = SourceRow("concurrency", "denied", None, "", "lambda:GetFunctionConcurrency")
    console.snapshot = scene.snapshot(sources=scene.sources(concurrency=denied))
    app = make_app()
    async with started(app):
        assert "allow lambda:GetFunctionConcurrency" in text(app)
        assert not functions(app).table.greyed


async def test_stale_rows_are_grey_when_the_engine_stands_still(make_app: MakeApp, clock: Clock) -> None:
    app = make_app()
    async with started(app) as pilot:
        pane = functions(app)
        row = pane.table.cursor_row
        assert row is not None
        assert not pane.spec.is_stale(row, app.frame)
        clock.at += 600
        app.take_snapshot()
        await settle(pilot)
        assert pane.spec.is_stale(row, app.frame)
        assert "metrics 10m" in text(app)


async def test_header_says_where_who_and_what_it_costs(make_app: MakeApp, console: FakeConsole) -> None:
    target = Target(
        scene.SCOPE,
        "shop-prod",
        "arn:aws:iam::1:user/bob",
        "http://127.0.0.1:4566",
        "DEMO x12",
        scene.NOW - 1,
    )
    console.snapshot = scene.snapshot(targets=(target,))
    app = make_app(mode="read-only")
    async with started(app):
        first, second = text(app).splitlines()[:2]
        for words in (
            "shop-prod",
            "123456789012",
            "eu-west-1",
            "bob",
            "http://127.0.0.1:4566",
            "DEMO x12",
            "READ-ONLY",
        ):
            assert words in first, words
        for words in ("8/8 ok", "1 alarm", "credentials EXPIRED", "$0.0147", "$0.041 of $0.5/h", "14:03:22Z"):
            assert words in second, words


async def test_no_color_sends_no_colour(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(no_color=True)
    async with started(app):
        assert app.theme == "mono"
        strips = app.screen._compositor.render_strips()
        filters = [f for f in app._filters if f.enabled]
        segments = [
            s for strip in strips for s in strip.apply_filter(filters[-1], app.screen.background_colors[1])
        ]
        colours = {c.type.name for s in segments if s.style for c in (s.style.color, s.style.bgcolor) if c}
        assert colours <= {"DEFAULT"}


SIZES = [(30, 20), (40, 40), (60, 24), (80, 24), (100, 30), (120, 40), (148, 40), (150, 40), (151, 40)]
"""At some of these the titles of panes are cut, by one cell or by many."""


async def test_ascii_terminals_get_ascii(make_app: MakeApp) -> None:
    app = make_app(ascii_only=True)
    async with started(app, (120, 40)) as pilot:
        for open_page in ((), ("enter",), ("question_mark",), ("escape", "escape", "T")):
            await press(pilot, *open_page)
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await settle(pilot)
                assert [c for c in text(app) if not c.isascii()] == [], (open_page, size)


async def test_a_title_is_cut_by_the_pane_itself(make_app: MakeApp) -> None:
    """Textual would cut what is longer, with a character that not every terminal can show."""
    app = make_app()
    async with started(app, (120, 40)) as pilot:
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            for pane in app.screen.query(Pane):
                if pane.display and pane.size.width > 4:
                    title = Content.from_markup(pane.border_title or "")
                    assert title.cell_length <= title_room(pane), (pane.id, size)
