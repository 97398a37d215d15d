"""The only gate through which foreign text enters lambdatop.

Whatever comes from AWS (names, log lines, reasons, error messages) is attacker-influenced. A string
that left `clean()` holds no control, escape, direction or invisible character, so no widget, file or
terminal further on has to think about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern

MAX_CHARS = 8192

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef"
)
_SUSPECT = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]")
_NAME_MAX = 256
_BETWEEN = " \N{RIGHTWARDS ARROW} "
_TOGETHER = 100
"""Texts that are looked at together; one of them that is not harmless costs the look of all."""


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code in (0x09, 0x0A):
        return match.group()
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code <= 0x9F:
        return f"[{code:02X}]"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"[U+{code:04X}]"


def clean(text: str, limit: int = MAX_CHARS) -> str:
    r"""Foreign text made harmless; line feeds stay, tabs become spaces.

    ESC becomes `␛`, C1 bytes `[9B]`, invisible and directional characters `[U+202E]`, lone surrogates
    `\ufffd`. A longer text is cut at `limit` characters with the rest counted.
    """
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit]
    plain = text.expandtabs(4) if "\t" in text else text
    if plain.isascii() and plain.replace("\n", "").isprintable():
        # Nearly every line: nothing but printable ASCII, which is told much faster than by the pattern.
        text = plain
    elif _SUSPECT.search(text):
        text = _SUSPECT.sub(_visible, text)
        if "\t" in text:
            text = text.expandtabs(4)
    return f"{text} […{cut} more characters]" if cut > 0 else text


def clean_all(texts: Sequence[str]) -> list[str]:
    """`clean` for each of many texts, with one look at all of them together where they are harmless.

    Nearly all log lines are: what is left to do for those is to expand tabs, which begin anew in each line.
    """
    found: list[str] = []
    for begin in range(0, len(texts), _TOGETHER):
        some = texts[begin : begin + _TOGETHER]
        joined = "\n".join(some).expandtabs(4)
        lines = joined.split("\n")
        harmless = len(lines) == len(some) and joined.isascii() and "".join(lines).isprintable()
        if harmless and len(max(some, key=len)) <= MAX_CHARS:
            found += lines
        else:
            found += map(clean, some)
    return found


def clean_line(text: str, limit: int = MAX_CHARS) -> str:
    """Like `clean`, on one line: line feeds become `␊`."""
    return clean(text, limit).replace("\n", "\u240a")


def clean_name(text: str) -> str:
    """A resource name or identifier: one line, at most 256 characters.

    Runtimes, versions, formats are few and are told of every function: each is kept once.
    """
    return intern(clean_line(text, _NAME_MAX))


def looks_confusable(name: str) -> bool:
    """Whether a name holds anything but printable ASCII, which a person cannot compare by eye."""
    return not (name.isascii() and name.isprintable())


def strange_letters(name: str) -> str:
    """What is confusable in a name, as `U+043E U+0430`, each once; "" when nothing is.

    Our own arrow between a source's and a function's name, in the name of a trigger, is not meant.
    """
    foreign = name.replace(_BETWEEN, "")
    return " ".join(dict.fromkeys(f"U+{ord(c):04X}" for c in foreign if looks_confusable(c)))
