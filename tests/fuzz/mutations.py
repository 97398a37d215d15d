"""Ways to spoil a JSON value or bytes, for the fuzzers. No I/O."""

from __future__ import annotations

import json
import math
import random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, -(10**330), 10**330, 2**63, 1e308, -1e308, math.inf, math.nan, 0.5,
    "", "x", "\x1b[2J\u202e\x07", "9" * 400, "1e999", "NaN", "\ud800", "a" * 70_000,
    [], {}, [None], {"": None}, [[[[[]]]]], {"a": {"a": {"a": {}}}},
)  # fmt: skip


def spoil(value: Any, rng: random.Random, share: float = 0.05) -> Any:
    """Return the value with some of its parts replaced, dropped, doubled or wrapped."""
    if rng.random() < share:
        return _odd(value, rng)
    if isinstance(value, dict):
        found = {k: spoil(v, rng, share) for k, v in value.items() if rng.random() > share / 2}
        if rng.random() < share / 2:
            found[rng.choice(["", "Error", "__type", "NextToken", "\x00", "ResponseMetadata"])] = rng.choice(
                ODD
            )
        return found
    if isinstance(value, list):
        return [spoil(v, rng, share) for v in value for _ in range(rng.choice((1, 1, 1, 1, 2)))]
    return value


def _odd(value: Any, rng: random.Random) -> Any:
    if isinstance(value, str) and rng.random() < 0.02:
        return rng.choice((deep(rng), rng.choice(("1 ", "a@", "key=", "\x1b[", "[[")) * 9_000))
    how = rng.randrange(4)
    if how == 0:
        return [value]
    if how == 1 and isinstance(value, str):
        return value * rng.choice((0, 2, 50))
    return rng.choice(ODD)


def deep(rng: random.Random) -> str:
    """Return JSON that nests deeper than any parser goes."""
    count = rng.choice((50, 990, 100_000))
    return '{"a":' * count + "1" + "}" * count if rng.random() < 0.5 else "[" * count + "]" * count


def cut(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a piece turned, dropped, doubled or put in."""
    if not data:
        return data
    at, length = rng.randrange(len(data)), rng.randrange(1, 9)
    how = rng.randrange(5)
    if how == 0:
        return data[:at]
    if how == 1:
        return data[:at] + data[at + length :]
    if how == 2:
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if how == 3:
        return data[:at] + rng.randbytes(length) + data[at + length :]
    return data[:at] + bytes((data[at] ^ (1 << rng.randrange(8)),)) + data[at + 1 :]


def dumped(value: Any) -> str:
    """Return JSON as hostile servers write it: `NaN` and half a surrogate are let through."""
    return json.dumps(value)
