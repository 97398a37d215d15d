"""Plans in steps, aliases and rules, and what became of a mutation, as the console shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import dialog, press, settle, show, started, text, toasts
from textual.widgets import Button

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result
from lambdatop.domain.state.aftermath import Aftermath, Changed
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.choose import ChooseScreen
from lambdatop.tui.pages.confirm import countdown
from lambdatop.tui.selection import newest_of

MakeApp = Callable[..., LambdatopApp]
SIZE = (140, 50)
WORKER = scene.key("function", "orders-worker")
MAPPING = scene.key("mapping", scene.UUID.format(1))
DISABLED: dict[str, Any] = {
    "mitigation": "disable_trigger",
    "target": MAPPING,
    "before": {"state": "Enabled"},
    "after": {"state": "Disabled"},
}


async def stop_in_order(app: LambdatopApp, pilot: Any) -> Plan:
    """Press T, and take the way that disables the triggers first."""
    await press(pilot, "T")
    dialog(app).query(Button).filter(".alternative").first().focus()
    await press(pilot, "enter")
    await settle(pilot)
    plan = dialog(app).plan
    assert plan is not None
    return plan


async def test_a_plan_in_steps_shows_each_and_is_confirmed_once(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        plan = await stop_in_order(app, pilot)
        assert console.calls[-1] == ("throttle_to_zero", (WORKER, {"triggers": "first"}))
        for words in ("step 1", "Disable the trigger orders", "then waits until", "step 2", "Enabled=False"):
            assert words in text(app)
        await press(pilot, *"orders-worker", "enter")
        assert [p.id for p, _ in console.executed] == [plan.id]


async def test_steps_are_followed_while_they_are_carried_out(make_app: MakeApp, console: FakeConsole) -> None:
    app, done = make_app(), Result("applied", "Done: the step.")
    async with started(app, SIZE) as pilot:
        plan = await stop_in_order(app, pilot)
        console.held = []
        console.result = lambda plan: Result("not-sent", "1 of 2 steps are done.", steps=(done,))
        await press(pilot, *"orders-worker")
        await pilot.press("enter")  # `press` would wait for the end, which is held back
        await settle(pilot)
        show(app, console, scene.snapshot(journal=(scene.entry(plan.steps[0].id, "applied", **DISABLED),)))
        dialog(app).show_status()
        await settle(pilot)
        meanwhile = text(app)
        console.release()  # before anything can fail: the app waits for it at its end
        await press(pilot)
        assert "orders-worker: applied" in meanwhile
        assert "waiting until orders" in meanwhile
        assert "Throttle orders-worker to zero: to come" in meanwhile
        assert "NOT SENT" in text(app)
        assert "applied: Done: the step." in text(app)


async def test_an_alias_is_looked_up_when_its_key_is_pressed(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "V")
        await settle(pilot)
        assert console.calls == [("related alias", WORKER)]
        assert any("has no alias" in words for words in toasts(app))
        names = ("orders-worker:live", "orders-worker:canary")
        console.relations = tuple(Key(scene.SCOPE, "alias", name) for name in names)
        await press(pilot, "V")
        await settle(pilot)
        assert isinstance(app.screen, ChooseScreen)
        assert "orders-worker:canary" in text(app)


@pytest.mark.parametrize(
    ("pressed", "kind", "said"),
    [
        ("K", "schedule", "no schedule of EventBridge Scheduler"),
        ("F", "pipe", "no pipe"),
        ("U", "pipe", "no pipe"),
        ("Z", "state machine", "no state machine"),
    ],
)
async def test_what_calls_a_function_is_looked_up_when_its_key_is_pressed(
    make_app: MakeApp, console: FakeConsole, pressed: str, kind: Any, said: str
) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, pressed)
        await settle(pilot)
        assert console.calls == [(f"related {kind}", WORKER)]
        assert any(said in words for words in toasts(app))
        console.relations = tuple(Key(scene.SCOPE, kind, name) for name in ("a/one", "a/two"))
        await press(pilot, pressed)
        await settle(pilot)
        assert isinstance(app.screen, ChooseScreen)
        assert "a/two" in text(app)
        assert "There may be others" not in text(app)


async def test_a_list_of_callers_that_may_be_incomplete_says_so_and_takes_none_by_itself(
    make_app: MakeApp, console: FakeConsole
) -> None:
    app = make_app()
    console.relations = (Key(scene.SCOPE, "schedule", "a/one"),)
    console.hidden = "missing scheduler:GetSchedule (2)"
    async with started(app, SIZE) as pilot:
        await press(pilot, "K")
        await settle(pilot)
        assert isinstance(app.screen, ChooseScreen)
        assert "a/one" in text(app)
        assert "There may be others (missing scheduler:GetSchedule (2))." in text(app)


async def test_a_deadline_is_seen_running_out(make_app: MakeApp, console: FakeConsole, clock: Clock) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        await settle(pilot)
        plan = dialog(app).plan
        assert plan is not None
        assert plan.deadline is None, (
            "messages received three times may be older than the oldest that is told"
        )
        assert plan.deadline_latest is not None
        assert f"expires in {countdown(plan.deadline_latest - clock())} at the latest" in text(app)
        clock.at += 7
        dialog(app).show_status()
        await settle(pilot)
        assert f"expires in {countdown(plan.deadline_latest - clock())} at the latest" in text(app)


def test_countdowns_are_clocks() -> None:
    assert countdown(3 * 86_400 + 4 * 3600 + 5 * 60 + 6.9) == "3 d 04:05:06"
    assert countdown(59) == "00:00:59"
    assert countdown(-5) == "00:00:00"


async def test_the_journal_names_triggers_effects_and_other_hands(
    make_app: MakeApp, console: FakeConsole
) -> None:
    entries = (
        scene.entry("e1", "applied", **DISABLED),
        scene.entry("e2", "applied"),
        scene.entry("e3", "applied", at=scene.NOW - 60),
    )
    aftermath = (
        Aftermath("e1", effect="120 → 0 invocations/min", proven=True, expires_at=scene.NOW + 3700),
        Aftermath("e2", (Changed("reserved_concurrency", 0, 7),)),
        Aftermath("e3", effect="set; no traffic to prove it"),
    )
    console.snapshot = scene.snapshot(journal=entries, aftermath=aftermath)
    app = make_app()
    async with started(app, (180, 50)) as pilot:
        assert "somebody changed 1 setting of ours" in text(app)
        await press(pilot, "J")
        await settle(pilot)
        for words in ("orders → orders-worker", "expires in 01:01:40", "CHANGED BY SOMEBODY", "no traffic"):
            assert words in text(app)
        await press(pilot, "j")
        await settle(pilot)
        assert "in 01:01:40 the oldest event that waits is lost" in text(app)
        assert "120 → 0 invocations/min" in text(app)
        await press(pilot, "j")
        await settle(pilot)
        assert "we left 0 (throttled to zero), it is now 7 reserved" in text(app)


async def test_what_is_under_way_is_not_called_lost(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(scene.entry("e1", "open", at=scene.NOW - 5),))
    app = make_app()
    async with started(app, SIZE) as pilot:
        assert "1 mutation under way" in text(app)
        show(app, console, scene.snapshot(journal=(scene.entry("e1", "open", at=scene.NOW - 500),)))
        await settle(pilot)
        assert "1 mutation without outcome" in text(app)


def test_undo_on_a_function_walks_back_its_own_changes() -> None:
    other, mine = scene.entry("e1", "applied"), scene.entry("e2", "applied", **DISABLED)
    newest = scene.entry("e3", "applied")
    snap = scene.snapshot(journal=(other, mine, newest))
    assert newest_of(WORKER, snap) == "e2"
    assert newest_of(scene.key("function", "email-sender"), snap) == "e3"
    assert newest_of(scene.key("function", "legacy-export"), snap) is None
    undo = scene.entry("e4", "applied", **DISABLED, undoes="e2")
    assert newest_of(WORKER, scene.snapshot(journal=(mine, undo))) == "e2"
