"""The filter line: a regular expression when it is one, plain text when it is not. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter line means. `note` says when it is not taken as a regular expression."""

    text: str
    matches: Callable[[str], bool]
    note: str = ""

    @property
    def active(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text)


def parse_filter(text: str) -> Filter:
    """A filter from what was typed: case-insensitive, `!` in front takes everything that does not match.

    Text that is no valid regular expression is searched literally.
    """
    text = text[:MAX_CHARS]
    inverse = text.startswith("!")
    wanted = text[1:] if inverse else text
    if not wanted:
        return Filter("", lambda _: True)
    try:
        search = re.compile(wanted, re.IGNORECASE).search
    except (re.error, OverflowError, RecursionError):
        lowered = wanted.lower()
        return Filter(text, lambda s: (lowered in s.lower()) is not inverse, "literal")
    return Filter(text, lambda s: (search(s) is not None) is not inverse)


NO_FILTER = parse_filter("")
