"""Every end of the console: the terminal is as before, the engine has drained, and the code says why."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fakes.terminal
import pytest
from fakes.terminal import Terminal, environment
from fakes.time_limit import PATIENCE_S

from lambdatop.cli import exit_codes
from lambdatop.cli.terminal.signals import ENDS

pytestmark = pytest.mark.wire

PROGRAM = [sys.executable, str(Path(fakes.terminal.__file__).with_name("shown_console.py"))]
FOOT = " ? help"
MODE = re.compile(rb"\x1b\[\?(\d+)([hl])")
OFF_AFTERWARDS = {b"1049", b"1000", b"1003", b"1015", b"1006", b"2004", b"1004", b"2026"}
"""Alternate screen, mouse, pasting, focus, and frames that are held back."""
ON_AFTERWARDS = {b"25", b"7"}
"""Cursor and wrapping."""
COMMON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Open = Callable[..., Terminal]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def open_it(*, program: list[str] = PROGRAM, **env: str) -> Terminal:
        return Terminal(program, environment(tmp_path, **env), 80, 24)

    return open_it


def restored(written: bytes | bytearray) -> None:
    """Check the modes at the end, and that the keyboard protocol is popped as often as it was pushed."""
    last = dict(MODE.findall(written))
    assert {mode for mode in OFF_AFTERWARDS if last.get(mode) == b"h"} == set()
    assert {mode for mode in ON_AFTERWARDS if last.get(mode, b"h") == b"l"} == set()
    assert written.count(b"\x1b[>") == written.count(b"\x1b[<u")
    left = written.rindex(b"\x1b[?1049l")
    assert b"\x1b[m" in written[written.rindex(b"\x1b[?1049h") : left], "the colours stay"
    assert re.search(rb"\x1b\[[\d;]+[mH]", written[left:]) is None, "something was painted afterwards"


def shows(term: Terminal) -> None:
    term.wait_for(lambda s: FOOT in s and "legacy-export" in s)


def test_the_key_that_always_ends_it(opened: Open, tmp_path: Path) -> None:
    with opened() as term:
        shows(term)
        term.press("\x03")
        assert term.wait_for_exit() == exit_codes.DONE
        assert term.attributes() == term.before
    restored(term.written)
    assert (tmp_path / "drained").exists()


@pytest.mark.parametrize("number", [n for n in ENDS if n not in COMMON], ids=lambda n: n.name)
def test_rare_signals(opened: Open, tmp_path: Path, number: signal.Signals) -> None:
    with opened() as term:
        shows(term)
        term.process.send_signal(number)
        assert term.wait_for_exit() == 128 + number
        assert term.attributes() == term.before
    restored(term.written)
    assert (tmp_path / "drained").exists()


@pytest.mark.parametrize("number", COMMON)
def test_signals(opened: Open, tmp_path: Path, number: signal.Signals) -> None:
    with opened(DRAIN_S="1.0") as term:
        shows(term)
        term.press("T")  # under a dialog, too
        term.wait_for("to confirm")
        term.process.send_signal(number)
        term.wait_for(lambda s: b"\x1b[?1049l" in term.written)
        if number is not signal.SIGINT:
            term.process.send_signal(number)  # while a call on its way is waited for: it is waited for
        assert term.wait_for_exit() == 128 + number
        assert term.attributes() == term.before
    restored(term.written)
    assert b"Traceback" not in term.written
    assert (tmp_path / "drained").exists()


def test_a_stopped_console_leaves_the_terminal_and_comes_back(opened: Open) -> None:
    with opened() as term:
        shows(term)
        for _ in range(2):
            term.process.send_signal(signal.SIGTSTP)
            term.wait_until_stopped()
            restored(term.written)
            assert term.attributes() == term.before
            term.display.reset()
            term.process.send_signal(signal.SIGCONT)
            shows(term)
            assert term.attributes() != term.before
        term.press("?")
        term.wait_for("everywhere")
        term.press("\x1b")
        shows(term)
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
        assert term.attributes() == term.before
    restored(term.written)


def test_after_a_stop_that_nobody_can_see_everything_is_painted_again(opened: Open) -> None:
    with opened() as term:
        shows(term)
        term.process.send_signal(signal.SIGSTOP)
        term.wait_until_stopped()
        term.display.reset()
        term.process.send_signal(signal.SIGCONT)
        shows(term)
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
        assert term.attributes() == term.before
    restored(term.written)


CHILD_OF_A_SHELL = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); sys.exit(p.wait())"


def test_the_key_for_stopping_needs_a_shell_to_go_back_to(opened: Open) -> None:
    with opened() as term:
        shows(term)
        term.press("\x1a")
        term.wait_for("There is no shell to go back to")
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
    with opened(program=[sys.executable, "-c", CHILD_OF_A_SHELL, *PROGRAM]) as term:
        shows(term)
        term.press("\x1a")
        term.wait_for(lambda s: b"\x1b[?1049l" in term.written)
        restored(term.written)
        child = int(subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(term.process.pid)], check=True, capture_output=True
        ).stdout)  # fmt: skip
        os.kill(child, signal.SIGCONT)
        shows(term)
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE


def test_a_terminal_that_goes_away_ends_it_quietly(opened: Open, tmp_path: Path) -> None:
    with opened() as term:
        shows(term)
        term.hang_up()
        assert term.process.wait(PATIENCE_S) == 128 + signal.SIGHUP
    assert (tmp_path / "drained").exists()


@pytest.mark.parametrize("closed", ["<&-", "2>&-"])
def test_without_one_of_its_streams_it_says_so(opened: Open, closed: str) -> None:
    program = ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', *PROGRAM]
    with opened(program=program) as term:
        assert term.wait_for_exit() == exit_codes.USAGE
        assert term.attributes() == term.before
    assert b"Traceback" not in term.written
    assert (b"the console needs a terminal on stdin, stdout and stderr" in term.written) is (closed != "2>&-")


def test_a_crash_ends_with_a_sentence(opened: Open, tmp_path: Path) -> None:
    with opened(SHOWN="crash") as term:
        shows(term)
        term.press("?")
        assert term.wait_for_exit() == exit_codes.FAILED
        assert term.attributes() == term.before
    after = term.written[term.written.rindex(b"\x1b[?1049l") :]
    assert b"internal error: ZeroDivisionError" in after
    assert b"SECRETVALUE" not in term.written
    restored(term.written)
    assert (tmp_path / "drained").exists()


def test_nothing_that_libraries_say_reaches_the_screen(opened: Open, tmp_path: Path) -> None:
    with opened(SHOWN="noise", LAMBDATOP_DEBUG="1") as term:
        shows(term)
        file = next(tmp_path.rglob("*.log"), None)
        until = time.monotonic() + 10
        while file is None or b"asyncio" not in file.read_bytes():
            assert time.monotonic() < until, "the log says nothing"
            term.read(0.1)
            file = next(tmp_path.rglob("*.log"), None)
        term.read(0.3)
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
    assert b"NOISE" not in term.written
    logged = file.read_text()
    assert all(f"NOISE of {what}" in logged for what in ("a warning", "aiohttp", "asyncio"))
    assert "SECRET" not in logged
    assert file.stat().st_mode & 0o777 == 0o600
