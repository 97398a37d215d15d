"""Private names of Textual that the console leans on: an upgrade that moves them fails here."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console as RichConsole
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lambdatop.tui._private import QuietCrash, crash_words, set_content_size
from lambdatop.tui.app import LambdatopApp


def test_the_names_that_are_replaced_still_exist() -> None:
    assert callable(App._fatal_error)
    assert callable(App._close_messages_no_wait)
    assert QuietCrash._fatal_error is not App._fatal_error
    assert LambdatopApp._fatal_error is QuietCrash._fatal_error
    app = App[None]()
    assert app._exception is None
    assert app._exit_renderables == []


class Crashing(QuietCrash):
    def on_mount(self) -> None:
        secret = "AKIA" + "SECRETVALUE"
        if secret:
            raise ZeroDivisionError("x")


@pytest.mark.parametrize("debug", [False, True])
async def test_a_crash_prints_no_local_variable(debug: bool) -> None:
    app = Crashing()
    app.debug_traceback = debug
    printed = io.StringIO()
    app.error_console = RichConsole(file=printed, width=200)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test():
            pass
    shown = printed.getvalue() + "".join(str(getattr(r, "segments", "")) for r in app._exit_renderables)
    assert "internal error: ZeroDivisionError" in shown
    assert "SECRETVALUE" not in shown
    assert ("Traceback" in shown) is debug


def test_crash_words_without_an_error() -> None:
    assert "internal error" in crash_words(None, False)


def test_the_console_is_made_of_it(make_app: Callable[..., LambdatopApp]) -> None:
    assert make_app(debug=True).debug_traceback
    assert not make_app().debug_traceback


class Long(ScrollView):
    def render_line(self, y: int) -> Strip:
        return Strip([Segment(f"line {y + self.scroll_offset.y}")])


class Scrolled(App[None]):
    arranged = 0

    def compose(self) -> ComposeResult:
        yield Long()


async def test_a_list_that_grows_moves_its_scrollbar_and_leaves_the_rest_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Scrolled()
    own = Screen._refresh_layout

    def counted(self: Screen[None], *args: Any, **kwargs: Any) -> None:
        app.arranged += 1
        own(self, *args, **kwargs)

    monkeypatch.setattr(Screen, "_refresh_layout", counted)
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one(Long)
        set_content_size(view, Size(9, 50))
        await pilot.pause()
        assert (view.max_scroll_y, view.show_vertical_scrollbar) == (40, True)
        app.arranged = 0
        for height in (60, 200):
            set_content_size(view, Size(9, height))
            view.scroll_end(animate=False)
            await pilot.pause()
            assert (view.max_scroll_y, view.scroll_offset.y) == (height - 10, height - 10)
            assert view.vertical_scrollbar.window_virtual_size == height
        assert app.arranged == 0
        set_content_size(view, Size(9, 5))
        await pilot.pause()
        assert (view.scroll_offset.y, view.show_vertical_scrollbar) == (0, False)
