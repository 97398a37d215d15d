"""How much is under way to a terminal, and who waits for it: never the one who writes."""

from __future__ import annotations

import inspect
import os
import pty
import threading
import tty
from collections import deque
from collections.abc import Callable

import pytest
from fakes import time_limit
from fakes.log_pane import MakeApp
from hypothesis import given
from hypothesis import strategies as st
from textual import _xterm_parser, events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver

from lambdatop.tui import _textual
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.terminal.driver import TerminalDriver
from lambdatop.tui.terminal.flow_control import FIRST_PATIENCE_S, LEAST, MOST, PATIENCE_S, Window
from lambdatop.tui.terminal.writer import Line


def behind(bytes_per_s: float, delay_s: float, seconds: float) -> tuple[float, float]:
    """Simulate a window that always has output.

    Return the longest time in transit at the end, and the used share.
    """
    window, now, free_at, said, worst = Window(), 0.0, 0.0, 0, 0.0
    under_way = deque([(60 / bytes_per_s + delay_s, 0.0, 60)])
    window.sent(0.0, 60)
    while now < seconds:
        while under_way and under_way[0][0] <= now:
            window.answered(now, more=True)
            _, asked, _ = under_way.popleft()
            worst = max(worst, now - asked) if now > seconds / 2 else 0.0
        while room := min(window.room(now), 4_000):
            free_at = max(free_at, now) + room / bytes_per_s
            under_way.append((free_at + delay_s, now, room))
            window.sent(now, room)
            said += room
        now += 0.001
    return worst, said / (bytes_per_s * seconds)


@pytest.mark.parametrize(("rate", "delay_s"), [(960, 0.0), (32_000, 0.0), (32_000, 0.15), (1_000_000, 0.05)])
def test_a_line_is_used_and_not_filled(rate: float, delay_s: float) -> None:
    waited, used = behind(rate, delay_s, 30.0)
    slowest_piece = 2 * LEAST / rate
    assert waited <= delay_s + max(0.2, slowest_piece)
    assert used > 0.5 or rate * used > 100_000


def test_without_an_answer_it_stops_waiting_and_with_one_it_waits_again() -> None:
    window = Window()
    while room := window.room(0.0):
        window.sent(0.0, room)
    assert window.room(1.0) == 0
    assert window.room(FIRST_PATIENCE_S + 0.1) == MOST
    window.sent(2.0, 5_000)
    assert window.room(2.1) == MOST
    window.answered(2.2, more=False)
    while room := window.room(2.3):
        window.sent(2.3, room)
    assert window.room(2.4) == 0
    assert window.room(2.3 + PATIENCE_S - 0.1) == 0
    assert window.room(2.4 + PATIENCE_S) == MOST


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    window = Window()
    before = window.room(0.0)
    window.answered(0.0, more=True)
    assert window.room(0.0) == before


def must_arrive(wanted: bytes, reading: int) -> None:
    """Read it at the other end, in its order."""
    got = bytearray()
    while len(got) < len(wanted):
        got += os.read(reading, 65_536)
    assert got == wanted


def test_writing_never_waits_and_keeps_the_order() -> None:
    reading, writing = os.pipe()
    taken = threading.Event()
    line = Line(writing, "utf-8", taken.set)
    texts = [f"{i}:" + "x" * 9_999 for i in range(40)]  # more than any pipe holds
    for text in texts:
        line.write(text)
    assert not line.idle
    must_arrive("".join(texts).encode(), reading)
    assert taken.wait(time_limit.PATIENCE_S)
    line.close(time_limit.PATIENCE_S)
    assert line.idle
    os.close(reading)
    os.close(writing)


def test_a_terminal_gets_at_once_what_it_takes_and_the_rest_in_order() -> None:
    reading, writing = pty.openpty()
    tty.setraw(writing)
    line = Line(writing, "utf-8", lambda: None)
    line.write("a key is answered")
    assert line.idle, "no thread was needed"
    assert os.read(reading, 100) == b"a key is answered"
    texts = [f"{i}:" + "x" * 9_999 for i in range(40)]
    for text in texts:
        line.write(text)
    assert not line.idle
    must_arrive("".join(texts).encode(), reading)
    assert os.get_blocking(writing), "the shell's own descriptor is as it was"
    line.close(time_limit.PATIENCE_S)
    os.close(reading)
    os.close(writing)


async def test_who_answers_a_key_hears_of_it_first(
    monkeypatch: pytest.MonkeyPatch, make_app: MakeApp
) -> None:
    app, order = make_app(), list[str]()
    app.typed = lambda: order.append("typed")
    driver = TerminalDriver(app)
    monkeypatch.setattr(driver, "process_message", lambda message: order.append(type(message).__name__))
    driver._act_on([events.Key("j", "j"), events.MouseMove(None, 1, 1, 0, 0, 0, False, False, False)])
    assert order == ["typed", "Key", "MouseMove"]


def test_a_line_that_takes_nothing_cannot_keep_anybody() -> None:
    reading, writing = os.pipe()
    line = Line(writing, "utf-8", lambda: None)
    line.write("x" * 1_000_000)
    line.close(0.05)
    assert not line.idle
    os.close(reading)  # the pipe breaks: the thread ends by itself
    line.close(time_limit.PATIENCE_S)
    assert line.idle
    line.write("nobody reads this")
    assert line.idle
    os.close(writing)


def test_the_private_names_are_still_there() -> None:
    """A failure here means: read tui/_textual.py again."""
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    assert list(inspect.signature(App._set_pointer_shape).parameters) == ["self", "shape"]
    assert list(inspect.signature(LayoutUpdate.__init__).parameters) == ["self", "strips", "region"]
    assert list(inspect.signature(ChopsUpdate.__init__).parameters) == ["self", "chops", "spans", "chop_ends"]
    app = App[None]()
    assert (app._batch_count, app._closed, app._driver) == (0, False, None)
    assert app._running is False
    assert callable(App._handle_exception)
    assert callable(Driver.send_message)
    assert LambdatopApp._display is _textual.FramedApp._display
    assert LambdatopApp._set_pointer_shape is _textual.FramedApp._set_pointer_shape
    assert "_app" in inspect.getsource(Driver.__init__)
    assert callable(_xterm_parser.XTermParser.tick)


def test_keys_are_read_and_answers_are_told_from_keys() -> None:
    read: Callable[[str], object] = _textual.key_reader()
    found = list(read("a\x1b[5;7R\x1b[A\x1b[?2026;2$y"))  # type: ignore[call-overload]
    assert [type(message).__name__ for message in found] == [
        "Key",
        "CursorPosition",
        "Key",
        "TerminalSupportsSynchronizedOutput",
    ]
    assert isinstance(found[1], events.CursorPosition)


@pytest.mark.parametrize(
    "sequence", ["\x1b[:;u", "\x1b[99999999999;1u", "\x1b[55296;1u", "\x1b[97;1;55296u", "\x1b[97;:u"]
)
def test_a_key_that_stands_for_no_character_is_ignored(sequence: str) -> None:
    found = list(_textual.key_reader()(f"a{sequence}b"))
    assert [message.key for message in found if isinstance(message, events.Key)] == ["a", "b"]


@given(st.text("0123456789;:<?-$mMu~ABRty", max_size=14))
def test_no_sequence_ends_the_reader(parameters: str) -> None:
    for message in _textual.key_reader()(f"\x1b[{parameters}u"):
        if isinstance(message, events.Key):
            (message.character or "").encode()
