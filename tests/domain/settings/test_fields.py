from __future__ import annotations

import math

from lambdatop.domain.settings import fields as made


class Some(made.Section, frozen=True):
    """One field of each kind."""

    rate: float = made.knob(2.0, "requests/s", "how often", 0.1, flags=("--rate",), metavar="N")
    window: int = made.window(15)
    usd: float | None = made.price("USD/GB", "lines")
    live: bool = made.switch(True, "lines come at once", "--live")
    name: str = made.text("a", "a name", made.matching("[a-z]+", "a name in small letters"))
    times: float = made.fixed(1.0)


META = Some.described


def test_a_field_has_its_default() -> None:
    assert Some() == Some(2.0, 15, None, True, "a", 1.0)


def test_a_field_carries_what_is_known_of_it() -> None:
    assert META["rate"] == {
        "unit": "requests/s",
        "help": "how often",
        "low": 0.1,
        "high": math.inf,
        "flags": ("--rate",),
        "metavar": "N",
    }
    assert META["window"]["at_most"] == "metrics.history_min"
    assert META["usd"]["null"] == "the table"
    assert META["live"] == {"help": "lines come at once", "flags": ("--live",)}
    assert META["times"] == {"fixed": True}


def test_a_text_is_checked_as_a_whole_and_told_what_it_needs() -> None:
    check = META["name"]["check"]
    assert [check(text) for text in ("abc", "abc1", "")] == ["", *["needs a name in small letters"] * 2]
