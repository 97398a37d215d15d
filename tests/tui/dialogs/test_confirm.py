from __future__ import annotations

import asyncio
from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import dialog, press, settle, started, text
from msgspec.structs import replace
from textual.widgets import Button, Input

from lambdatop.domain.errors import Denied
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.pages.confirm import where
from lambdatop.tui.screens.dashboard import DashboardScreen

MakeApp = Callable[..., LambdatopApp]
SIZE = (120, 40)
NEVER = 3_600.0
"""Seconds: a dialog that arms after the test."""


def typed(app: LambdatopApp) -> Input:
    return dialog(app).query_one("#typed", Input)


# -- arming ----------------------------------------------------------------------------------------


async def test_opens_at_once_reading_with_cancel_focused(make_app: MakeApp, console: FakeConsole) -> None:
    console.held = []
    app = make_app(arm_s=NEVER)
    async with started(app, SIZE) as pilot:
        await pilot.press("D")
        assert dialog(app).phase == "reading"
        assert "reading the current state" in text(app)
        assert app.focused is not None
        assert app.focused.id == "cancel"
        await pilot.press("y", "enter")
        assert dialog(app).phase == "reading"
        console.release()
        await app.workers.wait_for_complete()
        await settle(pilot)
        assert dialog(app).phase == "ready"
        assert app.focused.id == "cancel"


async def test_keys_before_arming_are_lost_for_good(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app(arm_s=NEVER)
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        await press(pilot, "y", "enter", "y", "tab", "space")
        assert console.executed == []
        dialog(app).arm()
        await settle(pilot)
        assert console.executed == []  # what was typed ahead does not come back
        await press(pilot, "y")
        assert len(console.executed) == 1


async def test_a_key_older_than_the_arming_does_not_count(make_app: MakeApp, console: FakeConsole) -> None:
    """A stalled loop handles old keys after the timer: their time of birth decides."""
    from textual.events import Key

    app = make_app(arm_s=NEVER)
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        old = Key("y", "y")
        dialog(app).arm()
        app.post_message(old)
        await settle(pilot)
        assert console.executed == []
        assert not dialog(app).admits(old)


async def test_escape_leads_away_even_before_arming(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app(arm_s=NEVER)
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        await press(pilot, "escape")
        assert isinstance(app.screen, DashboardScreen)
        assert console.executed == []


async def test_three_fast_presses_make_one_dialog(make_app: MakeApp, console: FakeConsole) -> None:
    console.held = []
    app = make_app(arm_s=NEVER)
    async with started(app, SIZE) as pilot:
        await pilot.press("T", "T", "T", "D", "u")
        assert len(app.screen_stack) == 2
        assert [name for name, _ in console.calls] == ["throttle_to_zero"]


# -- confirming ------------------------------------------------------------------------------------


async def test_t1_takes_y_and_not_enter(make_app: MakeApp, console: FakeConsole, clock: Clock) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        assert not typed(app).display
        assert "press y to confirm" in text(app)
        await press(pilot, "enter")  # Cancel has the focus
        assert console.executed == []
        await press(pilot, "D")
        clock.at += 5
        await press(pilot, "y")
        plan, confirmed_at = console.executed[0]
        assert plan.mitigation == "disable_trigger"
        assert plan.target.key == scene.key("mapping", scene.UUID.format(1))
        assert confirmed_at == clock.at
        assert "APPLIED" in text(app)
        await press(pilot, "y")
        assert len(console.executed) == 1


async def test_t2_takes_the_typed_name_only(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        button = dialog(app).query_one("#confirm", Button)
        assert button.disabled
        await press(pilot, "y")  # a letter of the name, not a confirmation
        assert console.executed == []
        await press(pilot, "backspace", *"orders-worke")
        assert typed(app).value == "orders-worke"
        assert button.disabled
        await press(pilot, "enter")
        assert console.executed == []
        await press(pilot, "r")
        assert not button.disabled
        await press(pilot, "enter")
        plan, _ = console.executed[0]
        assert (plan.mitigation, plan.target.name) == ("throttle_to_zero", "orders-worker")
        assert dict(plan.before) == {"reserved_concurrency": 50}


async def test_a_name_typed_in_one_piece_arrives_whole(make_app: MakeApp, console: FakeConsole) -> None:
    """A slow line delivers all letters at once, while the focus is still on its way to the line."""
    from textual.events import Key

    for burst in (1, 5, 8, 13):
        app = make_app()
        async with started(app, SIZE) as pilot:
            await press(pilot, "T")
            name = "orders-worker"
            for i in range(0, len(name), burst):
                for letter in name[i : i + burst]:
                    app.post_message(Key("minus" if letter == "-" else letter, letter))
                await asyncio.sleep(0)
            await settle(pilot)
            assert typed(app).value == name, burst


async def test_names_are_compared_by_code_points_and_marked(make_app: MakeApp, console: FakeConsole) -> None:
    plan = console.plan("throttle_to_zero", scene.key("function", "orders-worker"), {})
    assert isinstance(plan, Plan)
    name = "оrders-worker"  # noqa: RUF001 (a Cyrillic o, on purpose)
    console.answer = replace(plan, confirm=name, target=replace(plan.target, name=name))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        assert "U+043E" in text(app)
        await press(pilot, *"orders-worker", "enter")
        assert console.executed == []
        typed(app).value = name
        await press(pilot, "enter")
        assert len(console.executed) == 1


async def test_the_plan_says_everything(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (120, 60)) as pilot:
        await press(pilot, "T")
        shown = text(app)
        for words in ("shop-prod (123456789012)", "eu-west-1", "assumed-role/Operator/alice",
                      "function:orders-worker", "50 reserved  →  0 (throttled to zero)", "T2: reversible",
                      "LOST", "at most 3 s", "within seconds", "pipes and state machines were not looked for",
                      "good messages land", "lambda:GetPolicy is denied", "set it back to 50",
                      "aws lambda put-function-concurrency", "lambda:PutFunctionConcurrency",
                      "Do this first: disable trigger orders", "state read 0 s ago"):  # fmt: skip
            assert words in shown, words


async def test_absent_and_a_number_are_different_words(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        for row, words in (("tenant-sync", "none reserved  →  0"), ("orders-worker", "50 reserved  →  0")):
            await press(pilot, "slash", *row, "enter", "T")
            assert words in text(app)
            await press(pilot, "escape", "escape")


async def test_buttons_stay_in_sight_on_a_small_screen(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "T")
        lines = text(app).splitlines()
        assert "Cancel" in lines[-2]
        assert "Confirm" in lines[-2]
        assert "aws lambda" not in text(app)
        await press(pilot, "pagedown", "pagedown", "pagedown")
        assert "needs" in text(app)
        assert "Cancel" in text(app).splitlines()[-2]
        await pilot.resize_terminal(80, 18)
        await settle(pilot)
        assert "Cancel" in text(app)


async def test_a_plan_is_void_after_a_minute(make_app: MakeApp, console: FakeConsole, clock: Clock) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "D")
        clock.at += 61
        await press(pilot, "y")
        assert console.executed == []
        assert "this plan is void" in text(app)
        await press(pilot, "ctrl+r")
        await press(pilot, "y")
        assert len(console.executed) == 1
        assert console.executed[0][0].planned_at == clock.at


# -- alternatives, refusals, errors ----------------------------------------------------------------


async def test_an_alternative_is_chosen_with_a_key(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        dialog(app).query(".alternative")[1].focus()
        await press(pilot, "enter")
        await settle(pilot)
        assert [name for name, _ in console.calls] == ["throttle_to_zero", "disable_trigger"]
        assert dialog(app).plan is not None
        assert dialog(app).plan.mitigation == "disable_trigger"  # type: ignore[union-attr]
        assert len(app.screen_stack) == 2


async def test_a_refusal_says_why_and_what_instead(make_app: MakeApp, console: FakeConsole) -> None:
    plan = console.plan("throttle_to_zero", scene.key("function", "orders-worker"), {})
    assert isinstance(plan, Plan)
    console.answer = Refusal("throttle_to_zero", plan.target, "it has provisioned concurrency 5",
                             "remove it first", plan.alternatives)  # fmt: skip
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        for words in ("not possible now", "provisioned concurrency 5", "remove it first", "Do this first"):
            assert words in text(app)
        assert not dialog(app).query_one("#confirm").display
        await press(pilot, "y", "enter")
        assert console.executed == []
        assert isinstance(app.screen, DashboardScreen)


async def test_an_error_while_reading_is_words(make_app: MakeApp, console: FakeConsole) -> None:
    console.failure = Denied("Allow lambda:GetFunctionConcurrency [/x] for this role.")
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        assert "Allow lambda:GetFunctionConcurrency [/x]" in text(app)
        assert app.is_running


def test_our_own_arrow_between_two_names_is_no_warning(console: FakeConsole) -> None:
    plan = console.plan("throttle_to_zero", scene.key("function", "orders-worker"), {})
    assert isinstance(plan, Plan)

    def shown(name: str) -> str:
        named = replace(plan, target=replace(plan.target, name=name))
        return "".join(piece.text for piece in where(named, None, 80))

    assert "CAREFUL" not in shown("orders \u2192 orders-worker")
    assert "U+043E" in shown("\u043erders \u2192 orders-worker")
