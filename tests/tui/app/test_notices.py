"""Words that change take a repaint; the screen is arranged anew only when they need other room."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from lambdatop.tui.panes.base import update_text


class Telling(App[None]):
    CSS = "Static { width: 20; height: auto; max-height: 2; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield Static("old words", markup=False)


async def test_the_screen_is_arranged_anew_only_for_words_that_need_other_room() -> None:
    app = Telling()
    async with app.run_test(size=(30, 10)) as pilot:
        place = app.query_one(Static)
        for words, anew, height in (
            ("other words", False, 1),
            ("words that do not fit into one line", True, 2),
            ("so many words that they would not even fit into two lines", False, 2),
            ("few", True, 1),
        ):
            update_text(place, Content(words))
            assert place._layout_required is anew, words
            await pilot.pause()
            assert place.size.height == height, words
            assert words[:6] in app.screen._compositor.render_strips()[0].text
