"""Who changed it, and whether the caller may: asked on demand, shown as advice."""

from __future__ import annotations

from collections.abc import Callable

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, settle, started, text
from textual.content import Content
from textual.widgets import Static

from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.mitigations.registry import REGISTRY
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.screens.changed_by import WhoScreen
from lambdatop.tui.screens.help import BESIDES, KEYS, HelpScreen, help_lines

MakeApp = Callable[..., LambdatopApp]
SIZE = (140, 50)


async def test_who_changed_the_selected_function(make_app: MakeApp, console: FakeConsole) -> None:
    console.trail = (
        TrailEvent(scene.NOW - 300, "PutFunctionConcurrency", "kim", source_ip="10.0.0.7"),
        TrailEvent(scene.NOW - 900, "UpdateAlias", "deploy-bot", error="AccessDenied: no"),
    )
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "H")
        assert isinstance(app.screen, WhoScreen)
        for words in (
            "orders-worker",
            "5m ago",
            "PutFunctionConcurrency",
            "kim",
            "10.0.0.7",
            "REFUSED",
            "lags",
        ):
            assert words in text(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, WhoScreen)


async def test_nobody_and_a_refusal_are_words(make_app: MakeApp, console: FakeConsole) -> None:
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "H")
        assert "no change in the last days" in text(app)
        await press(pilot, "escape")
        console.failure = Denied("cloudtrail:LookupEvents is denied.", action="cloudtrail:LookupEvents")
        await press(pilot, "H")
        assert "cloudtrail:LookupEvents is denied" in text(app)


async def test_the_journal_asks_about_the_entry(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene.snapshot(journal=(scene.entry("e1", "applied"),))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "J", "H")
        await settle(pilot)
        assert isinstance(app.screen, WhoScreen)
        assert console.calls[-1] == ("who", scene.key("function", "email-sender"))


async def test_the_dialog_says_what_may_be_missing_and_hides_nothing(
    make_app: MakeApp, console: FakeConsole
) -> None:
    iam = REGISTRY["throttle_to_zero"].iam
    answers = {action: "yes" for action in iam} | {"lambda:PutFunctionConcurrency": "no"}
    console.snapshot = scene.snapshot(permissions=Permissions(scene.NOW, answers))  # type: ignore[arg-type]
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        assert "no: lambda:PutFunctionConcurrency is probably not allowed" in text(app)
        assert "type orders-worker to confirm" in text(app)


async def test_what_is_not_known_to_be_allowed_is_said_once_in_words(
    make_app: MakeApp, console: FakeConsole
) -> None:
    console.snapshot = scene.snapshot(permissions=Permissions(scene.NOW, {}, "IAM does not answer."))
    app = make_app()
    async with started(app, SIZE) as pilot:
        await press(pilot, "T")
        (line,) = [line for line in text(app).split("\n") if "allowed  " in line]
        assert (
            " ".join(line.partition("allowed")[2].split("│")[0].split()) == "not known: IAM does not answer"
        )


def test_help_says_yes_no_or_a_question_mark() -> None:
    iam = REGISTRY["throttle_to_zero"].iam
    known = Permissions(scene.NOW, {action: "yes" for action in iam})
    lines = "".join(piece.text for piece in help_lines("operator", (), known)).splitlines()
    assert any(line.startswith("T ") and line.endswith("allowed: yes") for line in lines)
    assert any(line.startswith("V ") and line.endswith("allowed: ?") for line in lines)
    assert "allowed" not in "".join(piece.text for piece in help_lines("operator"))


async def test_help_is_wrapped_beside_its_keys(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        for width in (80, 60, 120):
            await pilot.resize_terminal(width, 24)
            await settle(pilot)
            words = app.screen.query_one("#keys Static", Static).content
            assert isinstance(words, Content)
            assert words.cell_length > 0
            lines = words.plain.splitlines()
            assert all(len(line) <= width - BESIDES for line in lines if line.startswith(" " * KEYS))
            assert (width < 120) == any(line.startswith(" " * KEYS) and line.strip() for line in lines)
            shown = app.screen.query_one("#keys Static", Static).size
            entries = [line for line in lines if len(line) > KEYS and line[KEYS - 1] == " "]
            assert max(len(line.rstrip()) for line in entries) <= shown.width
