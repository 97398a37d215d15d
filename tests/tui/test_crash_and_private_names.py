"""Private names of Textual that the console leans on: an upgrade that moves them fails here."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console as RichConsole
from textual.app import App

from lambdatop.tui._private import QuietCrash, crash_words
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
