"""A long list in a JSON answer, read piece by piece.

Python's JSON parser holds the interpreter until it is done: 10 to 30 ms for a page of 10,000 log lines, in
which no key is answered. What is cut off here is parsed by the same parser, so a place that only looked like
the end of an entry (`},{"` cannot stand within a text, but a text can end in `},{`) makes it fail there, and
the rest is parsed as one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

PIECE_CHARS = 1 << 16
"""About a millisecond."""

_NEXT = re.compile(r"\},\s?\{\"")
_decode = json.JSONDecoder().raw_decode


async def split(
    text: str,
    member: str,
    plain: Callable[[Any], bool],
    rest: Callable[[], Awaitable[None]],
    size: int = PIECE_CHARS,
) -> tuple[list[Any], dict[str, Any]] | None:
    """The entries of the list in `member`, and the answer's other members; `rest` comes before each piece.

    None where the answer has no such list, or an entry is not `plain`. ValueError and RecursionError are the
    JSON parser's.
    """
    begin = _beginning(member).search(text)
    if begin is None:
        return None
    found: list[Any] = []
    at = begin.end()
    while True:
        await rest()
        piece, after = _piece(text, at, size)
        if not all(map(plain, piece)):
            return None
        found += piece
        if text[after - 1] == "]":
            break
        at = after
    others = json.loads(f"{text[: begin.end()]}{text[after - 1 :]}", object_pairs_hook=_without_doubles)
    # It was a list further down, or there is another one.
    if type(others) is not dict or others.pop(member, None) != []:
        return None
    return found, others


def _piece(text: str, at: int, size: int) -> tuple[list[Any], int]:
    """The entries from `at` on, about `size` characters of them, and the place after them (and a comma)."""
    end = _NEXT.search(text, at + size)
    if end is not None:
        try:
            return json.loads(f"[{text[at : end.start() + 1]}]"), end.start() + 2
        except ValueError:
            pass  # it was not between two entries of this list
    piece, length = _decode(f"[{text[at:]}")
    return piece, at + length - 1


@cache
def _beginning(member: str) -> re.Pattern[str]:
    # A quote within a text has a backslash before it, so this is a member's name.
    return re.compile(rf"[{{,]\s*\"{member}\"\s*:\s*\[")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member stands there twice")
    return found
