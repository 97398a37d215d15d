"""What cannot be seen is made visible at the gate; what makes letters and emoji stays."""

from __future__ import annotations

import unicodedata
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.sanitize import MOST_MARKS, clean, clean_line, clean_name

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
KISS = "\U0001f9d1\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f9d1\U0001f3ff"
SEEN = {
    "family": FAMILY,
    "kiss with skin tones": KISS,
    "pilot": "\U0001f469\U0001f3fd\u200d\u2708\ufe0f",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "heart": "\u2764\ufe0f and \u2764\ufe0e",
    "keycap": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Malayalam, at the end of a word": "\u0d05\u0d35\u0d28\u0d4d\u200d x",
    "Bengali": "\u09b0\u200d\u09cd\u09af",
    "Hindi": "\u0915\u094d\u200d\u0937",
    "Vietnamese, decomposed": unicodedata.normalize("NFD", "Ti\u1ebfng Vi\u1ec7t \u0111\u01b0\u1ee3c"),
    "Hebrew": "\u05e9\u05c1\u05bc\u05b8\u0594 \u05d9\u05b0\u05e8\u05d5\u05bc\u05e9\u05b8\u05c1",
    "Arabic": "\u0627\u0644\u0644\u0651\u064e\u0670\u0647\u0650",
    "Thai": "\u0e19\u0e49\u0e33\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48",
    "Tibetan": "\u0f56\u0f66\u0f92\u0fb2\u0f74\u0f56\u0f66",
    "England, Scotland, Wales": "".join(
        "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in place) + "\U000e007f"
        for place in ("gbeng", "gbsct", "gbwls")
    ),
    "two letters make a flag": "\U0001f1e9\U0001f1ea",
    "Katsushika, as the town writes it": "\u845b\U000e0100\u98fe\ufe00",
    "Mongolian": "\u182e\u1823\u180b\u1829\u182d\u180f",
    "Chinese and Korean": "\u51fd\u6570\u8d85\u65f6 \ud568\uc218",
}
NOT_SEEN = (
    *range(0x1D173, 0x1D17B), *range(0x1BCA0, 0x1BCA4), *range(0xFFF0, 0xFFFC), *range(0x180B, 0x1810),
    *range(0xE0000, 0xE0080), 0xE0100, 0xE01EF, 0xE0FFF, 0xE000, 0xF8FF, 0xF0000, 0x10FFFD, 0x2028, 0x2029,
    0x115F, 0x1160, 0x3164, 0xFFA0, 0x00AD, 0x034F, 0x200B, 0x200E, 0x202E, 0x2060, 0x2066, 0xFEFF, 0xFFFE,
    0xFDD0, 0x1FFFE, 0xEFFFF, 0xFFFC, 0x1D159, 0x17B4, 0x16FE4, 0x13430,
)  # fmt: skip
ALPHABET = "".join(SEEN.values()) + "".join(map(chr, NOT_SEEN)) + "ab 1\n\t\u0301\u20dd\u0903"


@pytest.mark.parametrize("code", NOT_SEEN, ids=lambda code: f"U+{code:04X}")
def test_what_has_no_shape_is_named(code: int) -> None:
    for around in ("ab", "\u0645\u06cc", "\U0001f468\U0001f469", "\u0915\u0937"):
        assert clean(around[0] + chr(code) + around[1]) == f"{around[0]}[U+{code:04X}]{around[1]}"


@pytest.mark.parametrize("text", SEEN.values(), ids=SEEN)
def test_letters_and_emoji_stay_what_they_are(text: str) -> None:
    assert clean(text) == text
    assert clean_line(f"x {text} y") == f"x {text} y"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ad\u200dmin", "ad[U+200D]min"),
        ("ad\u200cmin", "ad[U+200C]min"),
        ("a\ufe0f", "a[U+FE0F]"),
        ("1\ufe0f", "1[U+FE0F]"),
        ("\u200d", "[U+200D]"),
        ("\U0001f468\u200d", "\U0001f468[U+200D]"),
        ("\U0001f468\u200da", "\U0001f468[U+200D]a"),
        ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f[U+FE0F]"),
        ("\u0645\u200c", "\u0645[U+200C]"),
        ("\u0645\u200c\u200c\u06cc", "\u0645[U+200C][U+200C]\u06cc"),
        ("\u0645\u200ca", "\u0645[U+200C]a"),
        ("\U0001f3f4\U000e0067\U000e0062", "\U0001f3f4[U+E0067][U+E0062]"),
        ("\U0001f3f4\U000e0061\U000e007f", "\U0001f3f4[U+E0061][U+E007F]"),
        ("\u845b\U000e0100\U000e0101", "\u845b\U000e0100[U+E0101]"),
        ("\u845b\u180b", "\u845b[U+180B]"),
    ],
)
def test_a_joiner_that_joins_nothing_is_named(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_an_emoji_is_not_made_of_a_thousand() -> None:
    shown = clean("\U0001f468" + "\u200d\U0001f469" * 1000)
    assert shown.count("\u200d") == 4
    assert shown.count("[U+200D]") == 996


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0489", "\u0903", "\U0001d167"])
def test_marks_do_not_pile_up(mark: str) -> None:
    assert clean(f"a{mark * 4}b") == f"a{mark * 4}b"
    assert clean(f"a{mark * 50}b") == f"a{mark * 4}[46 more marks]b"
    assert clean(mark * 5000) == f"{mark * 4}[4996 more marks]"


def test_invisible_characters_between_marks_do_not_help() -> None:
    text = "\u0915" + "\u094d\u200d" * 50
    assert clean(text).count("\u094d") == MOST_MARKS


def test_a_name_holds_nothing_invisible() -> None:
    assert clean_name(FAMILY) == FAMILY.replace("\u200d", "[U+200D]")
    assert clean_name("\u845b\U000e0100") == "\u845b[U+E0100]"
    assert clean_name("\U0001f3f4\U000e0067").isprintable()
    assert clean_name("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc[U+200C]\u062e"


@given(st.text(st.sampled_from(ALPHABET), max_size=60))
def test_whatever_the_mixture_the_gate_is_passed_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    runs = (
        len(list(run)) for mark, run in groupby(once, lambda c: unicodedata.category(c)[0] == "M") if mark
    )
    assert max(runs, default=0) <= MOST_MARKS + 1  # and one variation selector, which has no shape of its own
