"""A key is acted upon before the next picture, and pictures go on after it whatever became of it."""

from __future__ import annotations

from fakes.log_pane import MakeApp
from fakes.screens import functions, press, settle, started
from textual import events
from textual.widgets import Input


async def test_a_picture_that_is_due_waits_for_the_key(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        seen = []
        table = functions(app).table
        table.focus()
        await settle(pilot)
        before = table.cursor_key

        def shown() -> None:
            seen.append(table.cursor_key)

        app.post_display_hook = shown  # type: ignore[method-assign]
        table.refresh()
        app.post_message(events.Key("j", "j"))
        await settle(pilot)
        assert seen, "a picture was painted"
        assert before not in seen, "none without what the key did"


async def test_pictures_go_on_after_keys_that_a_widget_takes_for_itself(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        await press(pilot, "/", "o", "r")
        assert isinstance(app.focused, Input)
        assert app.focused.value == "or"
        assert not app._batch_count
        painted = []
        app.post_display_hook = lambda: painted.append(1)  # type: ignore[method-assign]
        app.screen.refresh()
        await settle(pilot)
        assert painted
