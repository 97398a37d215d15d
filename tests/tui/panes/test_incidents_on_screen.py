"""Incidents on the screen: one line each, symptoms on demand, a finding in full with keys that work."""

from __future__ import annotations

from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, settle, show, started, table, text, toasts
from msgspec.structs import replace

from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.confirm import ConfirmScreen
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.panes.findings import FindingsPane, strip
from lambdatop.tui.screens.dashboard import DashboardScreen
from lambdatop.tui.screens.finding import FindingScreen
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.selection import candidates, of_finding, of_storm
from lambdatop.tui.style.spans import plain

MakeApp = Callable[..., LambdatopApp]
WIDE = (200, 60)


def lines(app: LambdatopApp) -> list[str]:
    assert isinstance(app.screen, DashboardScreen)
    table = app.screen.query_one(FindingsPane).table
    return [row.title for row in table._rows]


async def test_an_incident_is_one_line_until_it_is_opened(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5")
        cause, throttled, alarm = lines(app)
        assert cause.startswith("orders-worker fails 37%")
        assert throttled.startswith("checkout-api is throttled")
        assert alarm.startswith("orders-dlq-not-empty")
        assert "+2 orders-worker fails" in text(app)
        await press(pilot, "x")
        assert [title.split()[0] for title in lines(app)[:4]] == [
            "orders-worker",
            "orders",
            "orders-dlq",
            "checkout-api",
        ]
        assert "└ orders redelivers" in text(app)
        await press(pilot, "j", "x")  # closed from a symptom: the cursor goes back to the cause
        assert len(lines(app)) == 3
        finding = app.screen.query_one(FindingsPane).finding()
        assert finding is not None
        assert finding.detector == "error_rate"


async def test_symptoms_stay_below_their_cause_in_any_order(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5", "x")
        for key in ("s", "S", "s", "S", "s", "S"):
            await press(pilot, key)
            titles = [title.split()[0] for title in lines(app)]
            at = titles.index("orders-worker")
            assert titles[at : at + 3] == ["orders-worker", "orders", "orders-dlq"], key


async def test_a_folded_incident_is_found_by_its_symptoms(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5", "slash", *"dlq_growth", "enter")
        assert "1 of 3" in text(app)


async def test_x_elsewhere_says_where_incidents_are(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "1", "x")
        assert any("findings (5)" in words for words in toasts(app))
        await press(pilot, "5", "G", "x")
        assert any("no symptoms" in words for words in toasts(app))


async def test_enter_shows_the_finding_with_its_proof(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5", "x", "j", "enter")
        assert isinstance(app.screen, FindingScreen)
        shown = text(app)
        for words in (
            "sqs redelivery: orders",
            "orders redelivers: 3.4 receives",
            "received",
            "7,140",
            "could also be",
            "disable trigger: disable one of its triggers",
            "orders-worker fails 37%",
            "for orders",
        ):
            assert words in shown, words
        await press(pilot, "enter")
        assert isinstance(app.screen, FunctionScreen)
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, DashboardScreen)


async def test_its_keys_act_on_what_it_is_about(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5", "x", "j", "enter", "D")
        assert isinstance(app.screen, ConfirmScreen)
        assert "orders → orders-worker" in text(app)
        await press(pilot, "escape")
        assert console.executed == []


async def test_a_finding_that_clears_stays_readable(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "5", "enter")
        assert "This finding has cleared" not in text(app)
        show(app, console, replace(console.snapshot, findings=(), incidents=()))
        await settle(pilot)
        assert "This finding has cleared" in text(app)
        assert "orders-worker fails 37%" in text(app)


async def test_the_narrow_strip_counts_symptoms(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)):
        worst, *_ = strip(app.frame, 80, 2)
        assert "".join(piece.text for piece in worst).endswith(
            "+2 orders-worker fails 37% of 714 invocations a minute"
        )
        assert "+2 orders-worker" in text(app)


def test_suggestions_for_a_victim_act_on_the_hog() -> None:
    hog = scene.key("function", "image-resize")
    victim = replace(scene.snapshot().findings[3], remedy=hog)
    assert of_finding(victim, scene.snapshot()).function == hog


async def test_a_push_trigger_offers_no_mapping(make_app: MakeApp) -> None:
    snapshot: Snapshot = scene.snapshot()
    pushed = next(s for s in snapshot.storms if s.mapping is None)
    selection = of_storm(pushed)
    assert selection.function == Key(scene.SCOPE, "function", "image-resize")
    assert candidates("disable_trigger", selection, snapshot) == ()
    app = make_app()
    async with started(app, WIDE) as pilot:
        await press(pilot, "2", "G")
        assert "push async" in text(app)
        await press(pilot, "D")
        assert any("no trigger that could be disabled" in words for words in toasts(app))


async def test_a_narrow_storm_line_keeps_what_matters(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "2")
        shown = text(app)
        for words in ("att/evt", "wasted/m", "err %", "on failure", "3.4↑", "264"):
            assert words in shown, words
        storms = table(app, "storms")
        assert len(storms.row_keys) == len(set(storms.row_keys)) == 6


def test_nothing_wrong_is_only_said_where_everything_was_read() -> None:
    calm = scene.snapshot(findings=(), incidents=(), alarms=())
    denied = replace(scene.sources()[1], name="functions", state="denied", age_s=None)
    blind = replace(calm, sources=(denied,))
    for snapshot, all_read in ((calm, True), (blind, False)):
        frame = Frame(snapshot, scene.NOW, None, Settings())
        (line,) = strip(frame, 80, 3)
        assert ("not everything" in plain(line)) is not all_read
        assert plain(line).startswith("no findings")
        sheet = plain(page(frame, scene.key("function", "orders-worker"), 100))
        assert ("none in what was read, which is not everything" in sheet) is not all_read


async def test_an_empty_pane_of_findings_says_what_was_not_read(make_app: MakeApp) -> None:
    calm = scene.snapshot(findings=(), incidents=(), alarms=())
    denied = replace(scene.sources()[1], name="functions", state="denied", age_s=None)
    app = make_app(console=FakeConsole(replace(calm, sources=(*calm.sources, denied))))
    async with started(app, WIDE) as pilot:
        await press(pilot, "5")
        assert "no findings in what was read, which is not everything" in text(app)


async def test_an_empty_pane_says_which_reads_are_missing(make_app: MakeApp) -> None:
    calm = scene.snapshot(storms=(), mappings=(), queues=())
    gap = Gap("mappings", "lambda:ListEventSourceMappings", None, "denied", 2)
    app = make_app(console=FakeConsole(replace(calm, gaps=(gap,))))
    async with started(app, WIDE):
        assert "no triggers in what was read (lambda:ListEventSourceMappings denied)" in text(app)
