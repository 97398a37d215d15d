"""Clean foreign text; all of it passes here before anything else uses it.

Whatever comes from AWS (names, log lines, reasons, error messages) is attacker-influenced. A string
that left `clean()` holds no control, escape, direction or invisible character (but joiners in their place),
so no widget, file or terminal further on has to think about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern
from unicodedata import category, combining

MAX_CHARS = 8192

MOST_MARKS = 4
"""Combining marks on one letter: Vietnamese, Thai, Hindi and Tibetan need up to three, pointed Hebrew and
Arabic up to four. More of them paint over the lines around theirs."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00013430-\U0001343f\U00016fe4"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What Unicode ignores by default (DerivedCoreProperties.txt), and other characters without a shape."""
_NOBODYS = "\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff" + "".join(
    chr(plane << 16 | end) for plane in range(1, 15) for end in (0xFFFE, 0xFFFF)
)
"""Private use and no characters: each terminal shows something else, or nothing."""
_SUSPECT = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}{_NOBODYS}]")
_ZWNJ, _ZWJ, _VARIANTS, _KEYCAP = "\u200c", "\u200d", "\ufe0e\ufe0f", "\u20e3"
_TAGS, _GLYPHS = "\U000e0020-\U000e007f", "\u180b-\u180d\u180f\ufe00-\ufe02\U000e0100-\U000e01ef"
_JOINERS = re.compile(f"[{_ZWNJ}{_ZWJ}{_VARIANTS}{_TAGS}{_GLYPHS}]")
_FLAG = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
"""England, Scotland, Wales: no other flags are written with tags (emoji-sequences.txt)."""
_FLAG_SIZE = 7
_CHOSEN = re.compile(
    "[\u1807\u180a\u1820-\u18aa][\u180b-\u180d\u180f]"
    "|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e01ef]"
)
"""A letter of Mongolian, or a Chinese character, and which of its forms is meant: names are written so."""
_PICTURE = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
)
"""Where emoji are (emoji-data.txt), without the five skin tones."""
_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_MOST_JOINED = 4
"""Joiners in one emoji; the longest that there is (a kiss of two people) has three."""
_CURSIVE = re.compile(
    "[\u0620-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\u1b00-\u1b7f\ua980-\ua9df\ufb50-\ufdcf\ufe70-\ufefc]"
)
"""Scripts whose letters change their shape by their neighbours: Arabic, Syriac, Indic and their relatives."""
_VIRAMA = 9
"""Canonical combining class of the signs that take a letter's vowel away."""
_NO_LATIN = re.compile(f"[^\x00-\u02ff]{{{MOST_MARKS + 1},}}")
"""Where there may be too many marks; looked at letter by letter only there."""
_NAME_MAX = 256
_BETWEEN = " \N{RIGHTWARDS ARROW} "
_TOGETHER = 100
"""Texts that are checked together; one that is not harmless has all of them checked one by one."""


_LOOKS = re.compile("\x1b\\[[\\d;:]{0,64}+m")


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
    return match.group() if _belongs(match.string, match.start()) else _notation(match)


def _notation(match: re.Match[str]) -> str:
    return f"[U+{ord(match.group()):04X}]"


def _belongs(text: str, at: int) -> bool:
    """Return whether an invisible character is legitimate: in an emoji, or between letters that need it."""
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if char in _VARIANTS:
        return bool(_PICTURE.match(before)) or (
            before != "" and before in "0123456789#*" and after == _KEYCAP
        )
    if _CHOSEN.match(before + char) or any(
        f.end() > at for f in _FLAG.finditer(text, max(0, at - 6), at + 7)
    ):
        return True
    if char not in (_ZWNJ, _ZWJ) or not before:
        return False
    if _CURSIVE.match(before):
        letters = after != "" and _CURSIVE.match(after) is not None and category(after)[0] in "LM"
        return combining(before) == _VIRAMA or (letters and category(before)[0] in "LM")
    return char == _ZWJ and _PICTURE.match(after) is not None and _is_joined(text, at)


def _in_flag(text: str, at: int) -> bool:
    return _FLAG.search(text, max(0, at - _FLAG_SIZE + 1), at + _FLAG_SIZE) is not None


def _is_joined(text: str, at: int) -> bool:
    """Return whether an emoji ends before `at` and is not made of too many parts already."""
    joined = 1
    while at > 0 and joined <= _MOST_JOINED:
        at -= 1
        if text[at] in _VARIANTS or _TONES.match(text[at]):
            continue
        if _PICTURE.match(text[at]) is None:
            return False
        if text[at - 1 : at] != _ZWJ:
            return True
        at, joined = at - 1, joined + 1
    return False


def _fewer_marks(match: re.Match[str]) -> str:
    """Return a run of letters with at most MOST_MARKS marks on each, and how many more there were."""
    made: list[str] = []
    marks = 0
    for char in match.group():
        if category(char)[0] == "M" and char not in _VARIANTS:
            marks += 1
        elif not _JOINERS.match(char):  # an invisible one between two marks begins no new letter
            made += _left_out(marks)
            marks = 0
        if marks <= MOST_MARKS:
            made.append(char)
    return "".join((*made, *_left_out(marks)))


def _left_out(marks: int) -> tuple[str, ...]:
    return (f"[{marks - MOST_MARKS} more marks]",) if marks > MOST_MARKS else ()


def without_colours(text: str) -> str:
    """Return a program's text without its colours and other looks (SGR), which say nothing here."""
    return _LOOKS.sub("", text) if "\x1b" in text else text


def clean(text: str, limit: int = MAX_CHARS) -> str:
    r"""Return foreign text made harmless; line feeds stay, tabs become spaces.

    ESC becomes `␛`, C1 bytes `[9B]`, invisible and directional characters `[U+202E]`, lone surrogates
    `\ufffd`. Joiners inside an emoji or between letters of scripts that need them stay; of the combining
    marks on one letter the first MOST_MARKS do, the others are counted. A longer text is cut at `limit`
    characters with the rest counted.
    """
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit]
    plain = text.expandtabs(4) if "\t" in text else text
    if plain.isascii() and plain.replace("\n", "").isprintable():
        # Nearly every line: nothing but printable ASCII, which is told much faster than by the pattern.
        text = plain
    else:
        if _SUSPECT.search(text):
            text = _SUSPECT.sub(_visible, text)
        text = _NO_LATIN.sub(_fewer_marks, text)
        if "\t" in text:
            text = text.expandtabs(4)
    return f"{text} […{cut} more characters]" if cut > 0 else text


def clean_all(texts: Sequence[str]) -> list[str]:
    """Clean each of many texts, with one check of all of them together where they are harmless.

    Nearly all log lines are: for those only tabs have to be expanded, which begin anew in each line.
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
    """Clean a text like `clean`, on one line: line feeds become `␊`."""
    return clean(text, limit).replace("\n", "\u240a")


def clean_name(text: str) -> str:
    """Return a resource name or identifier: one line, at most 256 characters, nothing invisible at all.

    Runtimes, versions and formats are few and repeat for every function: each is kept once.
    """
    return intern(_JOINERS.sub(_notation, clean_line(text, _NAME_MAX)))


def looks_confusable(name: str) -> bool:
    """Return whether a name holds anything but printable ASCII, which a person cannot compare by eye."""
    return not (name.isascii() and name.isprintable())


def strange_letters(name: str) -> str:
    """Return what is confusable in a name, as `U+043E U+0430`, each once; "" when nothing is.

    The arrow between a source's and a function's name, which lambdatop adds to a trigger's name, is exempt.
    """
    foreign = name.replace(_BETWEEN, "")
    return " ".join(dict.fromkeys(f"U+{ord(c):04X}" for c in foreign if looks_confusable(c)))
