"""Made-up keys, several in one packet, into the real console in a real terminal: it goes on."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import fakes.terminal
import pytest
from fakes.nightly import NIGHTLY
from fakes.terminal import Terminal, environment
from fuzz import fuzz_keys

from lambdatop.cli import exit_codes
from lambdatop.tui.terminal.capabilities import MOUSE

pytestmark = pytest.mark.wire

PROGRAM = [sys.executable, str(Path(fakes.terminal.__file__).with_name("shown_console.py"))]
PACKETS = 80
ENDING = ("q", "\x03", "\x11", "login")
"""What may quit it, or runs a program to log in."""
FOUND = (
    "C5\r\r",
    "t\r\r",
    ":\r\r",
    "\x10\r\r",
    "D\r\r",
    "M\r\r",
    ":\x1b[6~",
    "t\x1b[6~\r\r",
    ":\x1b:\x1b:\x1b",
    "\r\r\x1b",
)
"""What ended it once."""


def packets(seed: int) -> list[str]:
    rng = random.Random(seed)
    texts = [*FOUND]
    while len(texts) < PACKETS:
        text = fuzz_keys.make(rng).text.encode("utf-8", "replace").decode()
        if not any(word in text for word in ENDING):
            texts.append(text)
    rng.shuffle(texts)
    return texts


@pytest.mark.parametrize("seed", [1, 2] if NIGHTLY else [1])
def test_no_key_ends_the_console(tmp_path: Path, seed: int) -> None:
    with Terminal(PROGRAM, environment(tmp_path), 100, 30) as term:
        term.wait_for(lambda s: " ? help" in s and "orders-worker" in s)
        for n, text in enumerate(packets(seed)):
            term.press(text)
            if n % 20 == 19:
                term.resize(*fuzz_keys.SIZES[n // 20 % len(fuzz_keys.SIZES)])
            assert term.read(0.05), f"the terminal was closed after packet {n}"
            assert term.process.poll() is None, f"ended after packet {n}: {term.screen()}"
        term.press("\x1b[201~\x1b")
        term.resize(100, 30)
        term.press("\x03")
        assert term.wait_for_exit() == exit_codes.DONE
        assert term.attributes() == term.before
    assert b"internal error" not in term.written


def test_the_mouse_is_left_to_the_terminal_and_taken_back(tmp_path: Path) -> None:
    """Dragging selects text in the terminal then; what was switched on is switched off at the end."""
    with Terminal(PROGRAM, environment(tmp_path), 100, 30) as term:
        term.wait_for(lambda s: " ? help" in s and "orders-worker" in s)
        assert term.written.count(MOUSE[0].encode()) == 1
        term.press("m")
        term.wait_for(lambda s: "m takes it back" in s)
        assert term.written.count(MOUSE[1].encode()) == 1
        term.press("m")
        term.wait_for(lambda s: "The mouse clicks" in s)
        assert term.written.count(MOUSE[0].encode()) == 2
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
        assert term.written.rindex(MOUSE[1].encode()) > term.written.rindex(MOUSE[0].encode())
