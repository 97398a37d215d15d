"""Search regular expressions that people type, in time linear in the text. Pure.

Python's own engine tries one possibility after the other: `(a+)+$` takes hours on thirty letters, and
`.*a.*b.*c` the fourth power of the line's length, while whoever writes the log line chooses the text. So
the parsed pattern is looked at first. What cannot go wrong runs in Python's engine, which is the fastest;
everything else runs in an automaton built while it reads, one step a character whatever the pattern.
What no automaton knows (backreferences, lookaround, atomic groups) is refused with a sentence.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from lambdatop.domain.search.automaton import ENDLESS, HIGHLIGHTS, REPEATS, PatternError, Search, Span

MAX_CHARS = 500
"""Of a pattern."""
CHOICES = 64
"""Ways through a pattern without unbounded repetition that Python's engine may try at each place."""
WIDTH = 200
"""Characters of a match that Python's engine may compare at each place."""
SHORT_TEXT = 500
"""Up to here the square of the text's length is no time at all (one unbounded repetition)."""

# The parse tree of `re` has no public name; a test pins what is used of it.
_parser: Any = importlib.import_module("re._parser")
_FLAGS = re.IGNORECASE | re.DOTALL | re.VERBOSE | re.UNICODE
_REFUSED = {
    "GROUPREF": "a backreference",
    "GROUPREF_IGNORE": "a backreference",
    "GROUPREF_EXISTS": "a conditional group",
    "ASSERT": "a lookaround",
    "ASSERT_NOT": "a lookaround",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive repetition",
}


class Pattern(Struct, frozen=True):
    """A checked pattern. `found` tells whether a text holds it, `spans` where (for highlights).

    `slow` ones take an automaton's steps, about 70 ns a character, for every text.
    """

    text: str
    found: Callable[[str], bool]
    spans: Callable[[str], list[Span]]
    slow: bool = False


def linear_pattern(text: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern that takes time linear in the text that is searched.

    Raises:
        PatternError: it is not a regular expression, too long, or needs more than an automaton.
    """
    if len(text) > MAX_CHARS:
        raise PatternError(f"the pattern is longer than {MAX_CHARS} characters")
    try:
        flags = re.IGNORECASE if ignore_case else re.NOFLAG
        tree = _parser.parse(text, flags)
        fast = re.compile(text, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"it is not a regular expression: {error}") from None
    _refuse(tree)
    unbounded, choices = _cost(tree)
    if choices <= CHOICES and unbounded == 0 and tree.getwidth()[1] <= WIDTH:
        return Pattern(text, lambda s: fast.search(s) is not None, lambda s: _spans(fast, s))
    if fast.flags & ~_FLAGS:
        raise PatternError("inline flags other than (?i) and (?s) are not known here")
    machine = Search(tree, fast.flags)
    if choices <= CHOICES and unbounded == 1:
        return Pattern(
            text,
            lambda s: fast.search(s) is not None if len(s) <= SHORT_TEXT else machine.found(s),
            lambda s: _spans(fast, s) if len(s) <= SHORT_TEXT else machine.spans(s),
        )
    return Pattern(text, machine.found, machine.spans, slow=True)


def _spans(pattern: re.Pattern[str], text: str) -> list[Span]:
    found = []
    for match in pattern.finditer(text):
        if match.end() > match.start():
            found.append(match.span())
            if len(found) == HIGHLIGHTS:
                break
    return found


def _children(name: str, value: Any) -> Iterable[Any]:
    if name in REPEATS:
        return (value[2],)
    if name == "SUBPATTERN":
        return (value[3],)
    return tuple(value[1]) if name == "BRANCH" else ()


def _refuse(tree: Any) -> None:
    for op, value in tree:
        name = str(op)
        if name in _REFUSED:
            raise PatternError(f"it holds {_REFUSED[name]}, which takes more than one pass over the text")
        if name == "SUBPATTERN" and (value[1] | value[2]) & ~re.IGNORECASE:
            raise PatternError("inline flags other than (?i) and (?s) are not known here")
        for child in _children(name, value):
            _refuse(child)


def _cost(tree: Any) -> tuple[int, int]:
    """Return unbounded repetitions, and the number of other alternatives; infinite for nested repetition."""
    unbounded, choices = 0, 1
    for op, value in tree:
        name = str(op)
        costs = [_cost(child) for child in _children(name, value)]
        inner, ways = sum(c[0] for c in costs), sum(c[1] for c in costs)
        if name in REPEATS:
            low, high = int(value[0]), int(value[1])
            endless = value[1] is ENDLESS or high - low > CHOICES
            if (inner and high > 1) or (endless and ways > 1):
                return 2, CHOICES + 1
            unbounded += inner + endless
            choices *= 1 if endless else min(CHOICES + 1, (high - low + 1) * ways ** min(high, CHOICES))
        elif costs:
            unbounded += inner
            choices *= ways
        choices = min(choices, CHOICES + 1)
    return unbounded, choices
