"""Private names of Textual that the console leans on: an upgrade that moves them fails here."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from fakes.screens import settle, started
from fakes.time_limit import PATIENCE_S
from rich.console import Console as RichConsole
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lambdatop.tui._textual import (
    HearsWhileOpen,
    QuietCrash,
    crash_words,
    paint_plainly,
    put_border_title,
    set_content_size,
)
from lambdatop.tui.app.app import LambdatopApp


def test_the_names_that_are_replaced_still_exist() -> None:
    assert callable(App._fatal_error)
    assert callable(App._close_messages_no_wait)
    assert QuietCrash._fatal_error is not App._fatal_error
    assert LambdatopApp._fatal_error is QuietCrash._fatal_error
    app = App[None]()
    assert app._exception is None
    assert app._exit is False
    assert callable(MessagePump._on_message)
    assert HearsWhileOpen._on_message is not MessagePump._on_message
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


class Plain(Long):
    DEFAULT_CSS = "Plain { background: blue; } Plain.padded { padding: 1 2; }"
    made = 0

    def on_mount(self) -> None:
        paint_plainly(self)

    def render_line(self, y: int) -> Strip:
        self.made += 1
        return super().render_line(y)


class Framed(App[None]):
    def compose(self) -> ComposeResult:
        yield Plain()


async def test_lines_without_a_border_are_shown_as_they_are_painted_and_once() -> None:
    app = Framed()
    async with app.run_test(size=(20, 4)) as pilot:
        view = app.query_one(Plain)
        view.refresh()
        await pilot.pause()
        view.made = 0
        region = Region(0, 0, 20, 4)
        assert [s.text for s in view.render_lines(region)] == [f"line {y}".ljust(20) for y in range(4)]
        assert "on #0000ff" in str(list(view.render_lines(region)[0])[-1].style), (
            "the rest of a line has its ground"
        )
        assert view.render_lines(Region(5, 1, 3, 1))[0].text == "1  "
        assert view.made == 0, "nobody said that a line is dirty"
        view.refresh(Region(0, 2, 20, 1))
        await pilot.pause()
        assert view.made == 1
        view.add_class("padded")
        await pilot.pause()
        assert view.render_lines(region)[1].text == "  line 0".ljust(20), "padding is Textual's matter"


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


class Titled(App[None]):
    CSS = "Plain { border: round red; height: 6; width: 20; }"

    def compose(self) -> ComposeResult:
        yield Plain()


async def test_a_title_has_only_its_line_painted_anew() -> None:
    app = Titled()
    async with app.run_test(size=(30, 10)) as pilot:
        view = app.query_one(Plain)
        await pilot.pause()
        put_border_title(view, "border_title", Content("above"))
        assert view._exchange_repaint_regions() == {Region(0, 0, 20, 1)}
        put_border_title(view, "border_subtitle", Content("below"))
        assert view._exchange_repaint_regions() == {Region(0, 5, 20, 1)}
        view.refresh()
        await pilot.pause()
        shown = [strip.text for strip in app.screen._compositor.render_strips()]
        assert "above" in shown[0]
        assert "below" in shown[5]
        assert (view.border_title, view.border_subtitle) == ("above", "below")


async def test_a_timer_for_a_moment_that_has_gone_by_comes_at_once(
    make_app: Callable[..., LambdatopApp],
) -> None:
    """What was seen: a toast expired while it was mounted, and its timer looked for its moment for ever."""
    app = make_app()
    async with started(app) as pilot:
        came = asyncio.Event()
        app.set_timer(-0.0001, came.set)
        await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE_S):
            await came.wait()
        await settle(pilot)
        assert app.is_running
