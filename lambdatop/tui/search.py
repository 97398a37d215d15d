"""Filter by a regular expression when the text is one, else by plain text. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from lambdatop.domain.search.automaton import PatternError
from lambdatop.domain.search.patterns import MAX_CHARS, Pattern, linear_pattern

__all__ = ["MAX_CHARS", "NO_FILTER", "Filter", "parse_filter", "parse_search"]


class Filter(Struct, frozen=True):
    """What a filter line means. `note` says when it is not taken as a regular expression.

    `slow` filters take some 10 µs for a line of usual length, others one or two.
    """

    text: str
    matches: Callable[[str], bool]
    note: str = ""
    slow: bool = False

    @property
    def active(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text)


def parse_filter(text: str) -> Filter:
    """Parse a filter: case-insensitive, `!` in front takes everything that does not match.

    Text that is not a valid regular expression is searched literally, so is one that could take longer than
    the text is long (the note says why).
    """
    text = text[:MAX_CHARS]
    inverse = text.startswith("!")
    wanted = text[1:] if inverse else text
    if not wanted:
        return Filter("", lambda _: True)
    pattern, note = _pattern(wanted, ignore_case=True)
    found = pattern.found
    return Filter(text, (lambda s: not found(s)) if inverse else found, note, pattern.slow)


def parse_search(text: str) -> tuple[Pattern, str]:
    """Parse a search and return a note as filters have it; a capital letter makes it case-sensitive."""
    text = text[:MAX_CHARS]
    return _pattern(text, ignore_case=text == text.lower())


def _pattern(text: str, *, ignore_case: bool) -> tuple[Pattern, str]:
    try:
        return linear_pattern(text, ignore_case=ignore_case), ""
    except PatternError as error:
        words = str(error)
    note = "literal" if "not a regular expression" in words else f"literal: {words}"
    return _literal(text, ignore_case), note


def _literal(text: str, ignore_case: bool) -> Pattern:
    def fold(s: str) -> str:
        # Lower case of the same length, so that places in it are places in the text.
        return "".join(c.lower() if len(c.lower()) == 1 else c for c in s) if not s.isascii() else s.lower()

    wanted = fold(text) if ignore_case else text

    def spans(s: str) -> list[tuple[int, int]]:
        s = fold(s) if ignore_case else s
        found, at = [], s.find(wanted)
        while at >= 0:
            found.append((at, at + len(wanted)))
            at = s.find(wanted, at + len(wanted))
        return found

    return Pattern(text, lambda s: wanted in (fold(s) if ignore_case else s), spans)


NO_FILTER = parse_filter("")
