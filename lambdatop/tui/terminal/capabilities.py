"""Decide what a terminal supports, by its name, and what is sent to it at start and end."""

from __future__ import annotations

import re
import termios
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from rich.color import ColorSystem

_COLORLESS = re.compile(r"vt[1-3]\d\d|.*-mono\Z|.*-m\Z")
_SIMPLE = re.compile(r"(?:linux|vt\d|ansi|cons25|sun|screen\Z|screen\.linux|wsvt)")
"""Terminals that print what they do not know instead of keeping quiet about it."""


class Traits(Struct, frozen=True):
    """`colors` None: none. `simple`: neither keyboard protocol nor questions about modes."""

    colors: ColorSystem | None = ColorSystem.TRUECOLOR
    ascii_only: bool = False
    simple: bool = False


def traits_of(environ: Mapping[str, str], *, ascii_only: bool) -> Traits:
    """Return the traits by `TERM`, `COLORTERM` and `NO_COLOR`, as conventions have it."""
    term = environ.get("TERM", "").lower()
    return Traits(_colors(environ, term), ascii_only, _SIMPLE.match(term) is not None)


def _colors(environ: Mapping[str, str], term: str) -> ColorSystem | None:
    if environ.get("NO_COLOR") or _COLORLESS.fullmatch(term):
        return None
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return ColorSystem.TRUECOLOR
    return (
        ColorSystem.EIGHT_BIT
        if term.endswith("256color") or term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot")
        else ColorSystem.STANDARD
    )


MOUSE = ("\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h", "\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1000l")
SYNC = ("\x1b[?2026h", "\x1b[?2026l")
_KEYBOARD = ("\x1b[>25u", "\x1b[<u")
"""Kitty's protocol: disambiguated keys, all of them, with the text they stand for."""
_ASK_SYNC = "\x1b[?2026$p"


def entering(traits: Traits, *, mouse: bool) -> str:
    """Return sequence for alternate screen, no cursor, no wrapping, reports of focus, pasting and mouse."""
    common = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1004h\x1b[?2004h" + (MOUSE[0] if mouse else "")
    return common + ("" if traits.simple else _KEYBOARD[0] + _ASK_SYNC)


def leaving(traits: Traits, *, mouse: bool) -> str:
    """Return the sequence that resets all of it and the colours."""
    keyboard = "" if traits.simple else SYNC[1] + _KEYBOARD[1]
    common = "\x1b[m\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?1049l\x1b[?25h"
    return (MOUSE[1] if mouse else "") + keyboard + common


def key_by_key(attributes: list[Any]) -> list[Any]:
    """Return attributes of a tty that give every key at once and act on none."""
    found = list(attributes)
    found[6] = list(found[6])
    found[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    found[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    found[6][termios.VMIN], found[6][termios.VTIME] = 1, 0
    return found
