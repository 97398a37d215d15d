"""The first frame, before anything heavy is loaded: its words, and that the screen is given back."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from rich.text import Text

from lambdatop.cli.terminal import splash
from lambdatop.cli.terminal.splash import ENTER, LEAVE, line


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Yield both ends of a terminal of 60 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(("mode", "badge"), [("read-only", "READ-ONLY"), ("operator", "OPERATOR")])
def test_the_line_fits_and_says_what_may_be_done(mode: str, badge: str, ascii_only: bool) -> None:
    for width in (0, 5, 20, 30, 35, 60, 200):
        shown = Text.from_ansi(line(mode, width, ascii_only=ascii_only).removeprefix("\x1b[H")).plain
        assert cell_len(shown) <= width
        assert (badge in shown and "starting" in shown) == (width >= 35)
        assert shown.isascii() or not ascii_only


def test_the_screen_is_given_back_when_loading_fails(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    with splash.opening(theirs, "operator", ascii_only=False):
        pass
    shown = os.read(ours, 4_096).decode()
    assert shown.startswith(ENTER)
    assert LEAVE not in shown
    with pytest.raises(SystemExit), splash.opening(theirs, "operator", ascii_only=False):
        raise SystemExit(143)
    shown = ""
    while not shown.endswith(LEAVE):  # a terminal hands on each write by itself when it likes to
        shown += os.read(ours, 4_096).decode()


def test_nothing_heavy_is_needed_for_it() -> None:
    code = "import sys, lambdatop.cli.commands.console; print(*sys.modules)"
    with os.popen(f'{sys.executable} -c "{code}"') as done:
        loaded = set(done.read().split())
    assert not loaded & {"textual", "rich", "aiobotocore", "botocore", "lambdatop.engine.engine"}
