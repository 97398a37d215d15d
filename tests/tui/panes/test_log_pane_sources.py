"""Where the log pane's lines come from: older pages, Live Tail, several functions at once."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.log_pane import KEY, NARROW, MakeApp, OpenLog, marked, numbered, opener, rows, tail, with_log
from fakes.screens import dashboard, press, settle, show, started, text, toasts
from msgspec.structs import replace

from lambdatop.domain.errors import Throttled
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail as Tail
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.logview import buffer
from lambdatop.tui.panes.log_status import STARTING, notes, way
from lambdatop.tui.panes.logs import LogsPane
from lambdatop.tui.style.spans import plain

EMAILS = scene.key("function", "email-sender")


@pytest.fixture
def open_log(make_app: MakeApp, console: FakeConsole) -> OpenLog:
    return opener(make_app, console)


def page(first: int, last: int, *, end: bool = False, note: str = "") -> Older:
    lines = tuple((KEY, parse(scene.NOW + i, str(i), "s", f"line {i}")) for i in range(first, last + 1))
    return Older(lines, scene.NOW + first, end, note)


# -- older pages -----------------------------------------------------------------------------------


async def test_the_first_line_fetches_the_page_before_it(open_log: OpenLog, console: FakeConsole) -> None:
    pages = [page(-9, 1), page(-12, -10, end=True)]
    console.older = lambda keys, before: pages.pop(0)
    app = open_log(numbered(30))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "g")
        assert console.calls[-1] == ("older_logs", (frozenset({KEY}), scene.NOW + 30))
        assert marked(app) == "line 1"
        assert tail(app).line_count == 40  # line 1 came again and is there once
        await press(pilot, "k")
        assert marked(app) == "line 0"
        await press(pilot, "g")
        name, (_, before) = console.calls[-1]
        assert name == "older_logs"
        assert before == pytest.approx(scene.NOW - 9.001)
        await press(pilot, "g")
        assert marked(app) == "line -12"
        assert "nothing is older" in text(app)
        asked = len(console.calls)
        await press(pilot, "k", "pageup")
        assert len(console.calls) == asked
        await press(pilot, "end")
        assert tail(app).following
        assert "nothing is older" not in text(app)


async def test_one_page_at_a_time(open_log: OpenLog, console: FakeConsole) -> None:
    app = open_log(numbered(30))
    console.held = []
    async with started(app, NARROW) as pilot:
        await pilot.press("4", "g", "k", "k")
        assert [name for name, _ in console.calls] == ["older_logs"]
        assert "reading older lines" in text(app)
        console.release()
        await app.workers.wait_for_complete()
        await settle(pilot)
        assert "reading older lines" not in text(app)


async def test_a_page_that_cannot_be_read_is_words(open_log: OpenLog, console: FakeConsole) -> None:
    app = open_log(numbered(30))
    console.failure = Throttled("FilterLogEvents was throttled.")
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "g")
        assert toasts(app) == ["Older lines could not be read: FilterLogEvents was throttled."]
        assert "reading older lines" not in text(app)
        assert tail(app).line_count == 30


async def test_a_page_for_another_log_is_dropped(open_log: OpenLog, console: FakeConsole) -> None:
    console.older = lambda keys, before: page(-9, 0)
    app = open_log(numbered(30))
    console.held = []
    async with started(app, (120, 40)) as pilot:
        await pilot.press("4", "g")
        dashboard(app).query_one(LogsPane).select((EMAILS,))
        console.release()
        await app.workers.wait_for_complete()
        await settle(pilot)
        assert tail(app).line_count == 0


async def test_following_again_brings_back_what_made_room(
    open_log: OpenLog, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "KEEP", 32)
    console.older = lambda keys, before: page(-9, 0)
    app = open_log(numbered(30))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "g")
        assert [s.text for s in tail(app).book.view][-1] == "line 22"
        show(app, console, with_log(numbered(31)))
        await settle(pilot)
        assert "+1 new" in text(app)
        await press(pilot, "end")
        assert rows(app)[-1].endswith("line 31")
        assert toasts(app) == [
            "Showing the newest lines; those in between were dropped to make room for older ones."
        ]


# -- Live Tail -------------------------------------------------------------------------------------


def live(snapshot: Snapshot, **fields: object) -> Snapshot:
    log = replace(snapshot.logs[KEY], **fields)
    return replace(snapshot, logs=MappingProxyType({KEY: log}))


async def test_l_asks_for_live_tail_and_says_what_it_costs(open_log: OpenLog, console: FakeConsole) -> None:
    app = open_log(numbered(5))
    async with started(app, (120, 40)) as pilot:
        assert console.live is None
        await press(pilot, "4", "l")
        assert console.live is True
        assert "0.01 USD" in toasts(app)[-1]
        told = live(
            with_log(numbered(5)), via="live tail", lag_s=0.8, coverage=0.75, usd_per_hour=0.6, at=scene.NOW
        )
        show(app, console, told)
        await settle(pilot)
        assert " live, <1s behind" in text(app)
        await press(pilot, "l")
        assert console.live is False
        assert toasts(app)[-1] == "Live Tail is off: lines are polled."


def test_the_way_of_the_lines_in_words() -> None:
    live_one = Tail("/aws/x", (), at=scene.NOW, via="live tail", lag_s=0.8, coverage=0.75, usd_per_hour=0.6)
    polled = Tail("/aws/y", (), at=scene.NOW - 3, lag_s=4.0)
    words = "live, <1s behind, 75 % of its updates whole, $0.60/h  /aws/x"
    assert plain(way([live_one], scene.NOW)) == words
    assert plain(way([polled], scene.NOW)) == "polled 3s ago, 4s behind  /aws/y"
    assert plain(way([Tail()], scene.NOW)) == ""
    both = plain(way([polled, replace(live_one, coverage=None)], scene.NOW))
    assert both == "1 live, 1 polled 3s ago, 4s behind, $0.60/h  2 log groups"
    starting = replace(polled, via_why=STARTING)
    assert plain(way([starting], scene.NOW)).startswith("polled 3s ago, live is starting, 4s")
    assert notes([starting], live_asked=True) == ()


async def test_why_it_is_polled_is_said_to_whom_asked_for_live(
    open_log: OpenLog, console: FakeConsole
) -> None:
    app = open_log(numbered(5))
    async with started(app, (120, 40)) as pilot:
        why = "Live Tail is off: as many sessions as the account may have (15) are open already"
        refused = live(with_log(numbered(5)), via_why=why, lag_s=4.0)
        show(app, console, refused)
        await settle(pilot)
        assert why not in text(app)  # nobody asked for it
        assert "4s behind" in text(app)
        await press(pilot, "4", "l")
        assert why in text(app)


# -- several functions -----------------------------------------------------------------------------


def two_logs() -> Snapshot:
    def log(name: str, offset: float) -> Tail:
        lines = tuple(
            replace(parse(scene.NOW + i + offset, str(i), "s", f"{name} {i}"), seq=i) for i in (1, 2)
        )
        return Tail(f"/aws/lambda/{name}", lines, 3, True, "", scene.NOW)

    logs = {KEY: log("orders", 0), EMAILS: log("mails", 0.5)}
    return replace(scene.snapshot(), logs=MappingProxyType(logs))


async def test_marked_functions_are_shown_together(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = two_logs()
    app = make_app()
    async with started(app, (120, 40)) as pilot:
        pane = dashboard(app).pane("functions")
        await press(pilot, "space")
        pane.table.move_to(EMAILS)  # type: ignore[attr-defined]
        await press(pilot, "space")
        assert console.watched == {KEY, EMAILS}
        assert "2 marked" in text(app)
        assert "orders-worker and 1 more" in text(app)
        assert [row.split()[-2:] for row in rows(app)[:4]] == [
            ["orders", "1"],
            ["mails", "1"],
            ["orders", "2"],
            ["mails", "2"],
        ]
        assert "orders-worker" in rows(app)[0]
        assert "email-sender" in rows(app)[1]
        await press(pilot, "escape")
        assert console.watched == {EMAILS}
        assert "marked" not in text(app)


async def test_an_incident_shows_the_logs_of_all_its_functions(
    make_app: MakeApp, console: FakeConsole
) -> None:
    first, *rest = two_logs().incidents
    both = replace(first, functions=(KEY, EMAILS))
    console.snapshot = replace(two_logs(), incidents=(both, *rest))
    app = make_app()
    async with started(app, (120, 40)) as pilot:
        await press(pilot, "5", "g")
        assert console.watched == {KEY, EMAILS}
        assert "and 1 more" in text(app)
        lone = scene.key("function", "checkout-api")
        show(
            app,
            console,
            replace(console.snapshot, incidents=(replace(both, functions=(KEY, EMAILS, lone)), *rest)),
        )
        await settle(pilot)
        assert console.watched == {KEY, EMAILS, lone}  # who joins the incident joins its logs
        await press(pilot, "1")
        assert len(console.watched) == 1
