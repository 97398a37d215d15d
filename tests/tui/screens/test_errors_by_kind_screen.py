"""Errors by kind: the price first, the question on Enter, the query stopped when nobody waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import _send, press, settle, started, text
from textual.pilot import Pilot

from lambdatop.domain.errors import SourceError
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.fingerprints import ErrorKind
from lambdatop.domain.log_analysis.insights import ErrorsFound, KindIn, Scan
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.screens.log_errors import LogErrorsScreen, kind_lines, price_words
from lambdatop.tui.style.spans import plain

MakeApp = Callable[..., LambdatopApp]
GROUP = "/aws/lambda/orders-worker"
WORKER = frozenset({scene.key("function", "orders-worker")})
SIZES = ((80, 24), (120, 40))


def kind(n: int, count: int, says: str, group: str = GROUP) -> KindIn:
    at = scene.NOW
    return KindIn(group, ErrorKind(f"print {n}", count, at - 600, at - 30, says, "", headline=says))


def found(*kinds: KindIn, left_out: int = 0) -> ErrorsFound:
    matched = sum(k.kind.count for k in kinds) + left_out
    return ErrorsFound(kinds, matched, left_out, 2**30, 0.005)


def scan(_: frozenset[Key], minutes: float) -> Scan:
    return Scan((GROUP,), scene.NOW - minutes * 60, scene.NOW, int(1.2 * 2**30), 0.006)


async def open_screen(app: LambdatopApp, pilot: Pilot[None]) -> None:
    app.push_screen(LogErrorsScreen(WORKER))
    await settle(pilot)


async def press_only(pilot: Pilot[None], key: str) -> None:
    """Press a key whose answer is held back, without waiting for the worker."""
    _send(pilot, key)
    await settle(pilot)


def asked(console: FakeConsole, name: str) -> list[object]:
    return [given for called, given in console.calls if called == name]


@pytest.mark.parametrize("size", SIZES)
async def test_the_price_then_the_answer(
    make_app: MakeApp, console: FakeConsole, size: tuple[int, int]
) -> None:
    console.scan, console.held = scan, []
    console.errors = lambda _: found(
        kind(1, 1_204, "ValueError: order # is bad"), kind(2, 3, "Task timed out"), left_out=7
    )
    app = make_app()
    async with started(app, size) as pilot:
        await open_screen(app, pilot)
        assert "estimating" in text(app)
        console.release()
        await press(pilot)
        assert "1 log group, last 15 min: scans about 1.2 GiB, $0.006 at list price" in text(app)
        assert asked(console, "log_errors") == []
        console.held = []
        await press_only(pilot, "enter")
        assert "asking…" in text(app)
        console.release()
        await press(pilot)
        shown = text(app)
        for words in (
            "1,204",
            "10m",
            "30s",
            "orders-worker",
            "ValueError: order # is bad",
            "scanned 1.0 GiB",
        ):
            assert words in shown, words
        assert "only the newest 1,207 of" in shown
        assert asked(console, "log_errors") == [scan(WORKER, 15)]
        await press(pilot, "escape")
        assert not isinstance(app.screen, LogErrorsScreen)


async def test_minutes_go_up_and_down_and_end(make_app: MakeApp, console: FakeConsole) -> None:
    console.scan = scan
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await open_screen(app, pilot)
        await press(pilot, "+", "+", "+", "+", "-", "-", "-", "-", "-")
        minutes = [given[1] for given in asked(console, "log_scan")]  # type: ignore[index]
        assert minutes == [15, 30, 60, 180, 60, 30, 15, 5]
        assert "last 5 min" in text(app)
        assert asked(console, "log_errors") == []


async def test_an_estimate_for_other_minutes_is_not_taken(make_app: MakeApp, console: FakeConsole) -> None:
    console.scan, console.held = scan, []
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await open_screen(app, pilot)
        await press_only(pilot, "+")
        (late, _), (new, answer) = console.held
        assert late.cancelled()
        new.set_result(answer)
        console.held = None
        await press(pilot)
        await press(pilot, "enter")
        assert asked(console, "log_errors") == [scan(WORKER, 30)]


@pytest.mark.parametrize("size", SIZES)
async def test_escape_stops_the_query_and_then_leaves(
    make_app: MakeApp, console: FakeConsole, size: tuple[int, int]
) -> None:
    console.scan = scan
    app = make_app()
    async with started(app, size) as pilot:
        await open_screen(app, pilot)
        await press(pilot)
        console.held = []
        await press_only(pilot, "enter")
        await press_only(pilot, "+")
        ((query, _),) = console.held
        await press(pilot, "escape")
        assert query.cancelled()
        assert "the query was stopped" in text(app)
        assert asked(console, "log_scan") == [(WORKER, 15)]
        console.held = None
        await press(pilot, "enter")
        assert "no errors" in text(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, LogErrorsScreen)


async def test_a_screen_that_goes_away_stops_its_query(make_app: MakeApp, console: FakeConsole) -> None:
    console.scan = scan
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await open_screen(app, pilot)
        await press(pilot)
        console.held = []
        await press_only(pilot, "enter")
        ((query, _),) = console.held
        app.pop_screen()
        await settle(pilot)
        assert query.cancelled()


async def test_errors_are_words_and_enter_begins_anew(make_app: MakeApp, console: FakeConsole) -> None:
    console.scan, console.failure = scan, SourceError("logs:StartQuery is denied.")
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await open_screen(app, pilot)
        await press(pilot)
        assert "logs:StartQuery is denied." in text(app)
        console.failure = None
        await press(pilot, "enter")
        assert "scans about" in text(app)


async def test_a_long_list_scrolls_under_its_heads(make_app: MakeApp, console: FakeConsole) -> None:
    console.scan = scan
    console.errors = lambda _: found(*(kind(n, 100 - n, f"Error: number-{n}-of-them") for n in range(60)))
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await open_screen(app, pilot)
        await press(pilot, "enter")
        shown = text(app)
        assert "number-0-of" in shown
        assert "newest of its kind" in shown
        assert "Esc leaves" in shown
        await press(pilot, *(["pagedown"] * 4))
        shown = text(app)
        assert "number-59-of" in shown
        assert "newest of its kind" in shown
        assert "scanned 1.0 GiB" in shown


def test_what_came_from_aws_is_clean_and_secrets_are_hidden() -> None:
    hostile = kind(1, 1, "\x1b[31mdenied password=hunter2hunter2 [bold]x", "/aws/lambda/f\x1b]0;x\x07")
    (line,) = "".join(piece.text for piece in kind_lines(found(hostile), scene.NOW, 120)).splitlines()
    assert "hunter2" not in line
    assert "\x1b" not in line
    assert "\x07" not in line
    assert "[bold]x" in line


def test_a_price_that_nobody_knows_and_groups_that_are_left_out() -> None:
    unknown = Scan((GROUP,) * 50, 0.0, 60.0, None, None, left_out=3)
    assert price_words(unknown, 15) == (
        "the first 50 log groups of 53, last 15 min: how much it scans is not known "
        "($0.005 per GiB at list price)"
    )


def test_no_errors_are_said_of_the_lines_that_were_summed_up() -> None:
    assert "none of the lines in that time" in plain(kind_lines(found(), scene.NOW, 100))
    assert "none of the newest lines that were summed up" in plain(
        kind_lines(found(left_out=5), scene.NOW, 100)
    )
