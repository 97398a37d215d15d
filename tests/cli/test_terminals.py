"""The console in every terminal: sizes, names, colours, locales, and lines that are slow."""

from __future__ import annotations

import random
import re
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import fakes.terminal
import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole, done
from fakes.terminal import Terminal, environment
from rich.color import ColorSystem

from lambdatop.cli import exit_codes
from lambdatop.cli.terminal.dumb_terminal import print_tables
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.terminal.capabilities import Traits, traits_of
from lambdatop.tui.terminal.suspend import TerminalApp

pytestmark = pytest.mark.wire

PROGRAM = [sys.executable, str(Path(fakes.terminal.__file__).with_name("shown_console.py"))]
FOOT = " ? help"
SGR = re.compile(rb"\x1b\[([\d;]*)m")
FEW = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108), 39, 49}
ATTRIBUTES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 21, 53}
MODERN = re.compile(rb"\x1b\[[<>]|\$p|\x1b\]")
"""What an old terminal would print: keyboard protocol, questions about modes, OSC."""
Open = Callable[..., Terminal]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def open_it(
        columns: int = 80, lines: int = 24, *, line: dict[str, Any] | None = None, **env: str
    ) -> Terminal:
        given = environment(tmp_path, **env)
        return Terminal(PROGRAM, {k: v for k, v in given.items() if v}, columns, lines, **(line or {}))

    return open_it


def codes_of(written: bytes | bytearray) -> list[list[int]]:
    return [[int(c or 0) for c in said.split(b";")] for said in SGR.findall(written)]


def leave(term: Terminal) -> None:
    term.press("q")
    assert term.wait_for_exit() == exit_codes.DONE
    assert term.attributes() == term.before


@pytest.mark.parametrize(("columns", "lines"), [(200, 60), (40, 10), (12, 3)])
def test_every_size_shows_something_and_takes_keys(opened: Open, columns: int, lines: int) -> None:
    with opened(columns, lines) as term:
        term.wait_for("?")
        if columns >= 40:
            term.wait_for(FOOT)
            term.press("?")
            term.wait_for("everywhere")
            term.press("\x1b")
            term.wait_for(lambda s: FOOT in s and "everywhere" not in s)
        leave(term)


def test_a_storm_of_sizes_ends_with_the_right_screen(opened: Open) -> None:
    chance = random.Random(7)
    with opened(100, 30) as term:
        # A frame comes in pieces: the whole of the first one has five panes and all hints that fit.
        calm = term.wait_for(lambda s: "R restore" in s and s.count("╰") == 5)
        for _ in range(100):
            term.resize(chance.randint(1, 220), chance.randint(1, 70))
            term.read(0.01)
        term.resize(1, 1)
        term.resize(100, 30)
        term.display.reset()  # what a terminal shows after that is anybody's guess

        def shape(screen: str) -> tuple[str, list[int]]:
            rows = screen.splitlines()
            return rows[-1], [row.count("│") for row in rows[4:-2]]

        term.wait_for(lambda screen: shape(screen) == shape(calm))
        leave(term)


@pytest.mark.parametrize(
    ("env", "colours"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "true"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "vt100"}, "none"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "none"),
    ],
)
def test_only_the_colours_there_are(opened: Open, env: dict[str, str], colours: str) -> None:
    with opened(**env) as term:
        term.wait_for(lambda s: FOOT in s and "orders-worker" in s)
        leave(term)
    said = codes_of(term.written)
    extended = [c[i + 1] for c in said for i, code in enumerate(c[:-2]) if code in (38, 48)]
    plain = {code for c in said if 38 not in c and 48 not in c for code in c} - ATTRIBUTES
    if colours == "true":
        assert set(extended) == {2}
    elif colours == "256":
        assert set(extended) == {5}
    else:
        assert extended == []
        assert plain <= FEW
        assert bool(plain) is (colours == "16")
    old = env["TERM"] in ("linux", "vt100")
    assert bool(MODERN.search(term.written)) is not old


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"LC_ALL": "", "LANG": "de_DE.ISO-8859-1", "LC_CTYPE": ""}]
)
def test_without_utf8_every_byte_of_every_screen_is_ascii(opened: Open, locale: dict[str, str]) -> None:
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    if "LANG" in locale:  # where that locale is not installed it is C, which Python would make UTF-8
        plain["PYTHONIOENCODING"] = "iso-8859-1"
    with opened(120, 40, **plain, **locale) as term:
        term.wait_for(FOOT)
        for keys, sign in (
            ("?", "everywhere"),
            ("J", "nothing was changed"),
            ("\r", "a week ago"),
            ("T", "to confirm"),
            ("$", "List prices"),
            ("t", "midnight"),
            (":", "Search"),
        ):
            term.press(keys)
            term.wait_for(sign)
            term.press("\x1b")
            term.wait_for(lambda s, sign=sign: FOOT in s and sign not in s)  # type: ignore[misc]
        term.press("5z")
        term.wait_for("5 findings")
        assert "+-" in term.screen()
        leave(term)
    assert max(term.written) < 0x80


@pytest.mark.parametrize(
    ("env", "traits"),
    [
        ({"TERM": "tmux-256color"}, Traits(ColorSystem.EIGHT_BIT)),
        ({"TERM": "screen-256color"}, Traits(ColorSystem.EIGHT_BIT)),
        ({"TERM": "xterm-kitty"}, Traits(ColorSystem.EIGHT_BIT)),
        ({"TERM": "xterm-direct"}, Traits(ColorSystem.TRUECOLOR)),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, Traits(ColorSystem.TRUECOLOR)),
        ({"TERM": "xterm"}, Traits(ColorSystem.STANDARD)),
        ({"TERM": "xterm-16color"}, Traits(ColorSystem.STANDARD)),
        ({"TERM": "screen"}, Traits(ColorSystem.STANDARD, simple=True)),
        ({"TERM": "screen.linux"}, Traits(ColorSystem.STANDARD, simple=True)),
        ({"TERM": "vt220"}, Traits(None, simple=True)),
        ({"TERM": "xterm-mono"}, Traits(None)),
        ({"TERM": "xterm", "NO_COLOR": ""}, Traits(ColorSystem.STANDARD)),
    ],
)
def test_what_a_terminal_can_by_its_name(env: dict[str, str], traits: Traits) -> None:
    assert traits_of(env, ascii_only=False) == traits


def test_a_dumb_terminal_gets_tables(opened: Open) -> None:
    with opened(TERM="dumb") as term:
        term.wait_for("OWN API SPEND")
        term.process.send_signal(signal.SIGINT)
        assert term.wait_for_exit() == exit_codes.INTERRUPTED
    assert b"a table follows every 60 s until Ctrl-C" in term.written
    assert b"orders-worker" in term.written
    assert b"\x1b" not in term.written


def test_tables_come_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        print_tables(Standing(), 90.0, wait)  # type: ignore[arg-type]
    assert waits == [90.0] * 3
    assert capsys.readouterr().out.count("OWN API SPEND") == 3


class Standing(FakeConsole):
    def __init__(self) -> None:
        super().__init__(scene.snapshot())

    def snapshot_once(self, wait_s: float) -> Future[Snapshot]:
        return done(self.snapshot)


def test_sixteen_colours_get_the_theme_that_was_made_for_them() -> None:
    app = TerminalApp()
    assert app.theme_for("midnight") == "midnight"
    app.traits = Traits(ColorSystem.STANDARD)
    assert app.theme_for("midnight") == "ansi-16"
    assert app.theme_for("paper") == "paper"


def test_a_terminal_that_never_answers_gets_everything_a_little_later(opened: Open) -> None:
    with opened(line={"answers": False}) as term:
        term.wait_for(lambda s: FOOT in s and "legacy-export" in s)
        leave(term)


def test_keys_are_answered_behind_a_slow_line(opened: Open) -> None:
    """A log floods the screen; without pacing a key would wait behind everything that was written before."""
    with opened(80, 24, line={"rate": 2_400}, SHOWN="flood", TERM="vt100") as term:
        term.wait_for(FOOT)
        term.press("4z")
        term.wait_for("was booked")
        for _ in range(5):  # the flood goes on for a while
            term.read(1.0)
        before = len(term.written)
        term.press("?")
        term.wait_for("everywhere")
        assert len(term.written) - before < 80 * 24, "more than one screen was under way"
        term.process.send_signal(signal.SIGTERM)
        assert term.wait_for_exit() == 128 + signal.SIGTERM
