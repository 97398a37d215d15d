"""Hold rows of a table, each under a key. Pure.

There may be ten thousand of them, and each new snapshot brings others: a pair of key and row for each, or a
pass over all of them, costs milliseconds in which no key is heard. So keys are looked up where they are asked
for, and an order in which the rows come is known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

R = TypeVar("R")

NEAR = 256
"""Rows among which a key is looked for at once."""


class Rows(Generic[R]):
    """`items`, each with the key that `key` says.

    `order` is the column that they are ordered by already, and whether downwards.
    """

    __slots__ = ("_key", "items", "order")

    def __init__(
        self, items: Sequence[R], key: Callable[[R], Hashable], order: tuple[str, bool] | None = None
    ) -> None:
        self.items = items
        self.order = order
        self._key = key

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)

    def __getitem__(self, index: int) -> R:
        return self.items[index]

    def key_at(self, index: int) -> Hashable:
        """Return the key of one row."""
        return self._key(self.items[index])

    def keys(self, begin: int = 0, end: int | None = None) -> list[Hashable]:
        """Return the keys of some rows, or of all."""
        return list(map(self._key, self.items[begin:end]))

    def find(self, key: Hashable, near: int = 0) -> int | None:
        """Return where the row with that key stands; most often not far from where it stood, `near`."""
        last = max(0, len(self.items) - 1) // NEAR
        here = min(near // NEAR, last)
        for part in sorted(range(last + 1), key=lambda part: abs(part - here)):
            keys = self.keys(part * NEAR, (part + 1) * NEAR)
            if key in keys:
                return part * NEAR + keys.index(key)
        return None

    def only(self, wanted: Callable[[R], bool]) -> Rows[R]:
        """Return those that are wanted, in the same order."""
        return Rows([row for row in self.items if wanted(row)], self._key, self.order)

    def by(self, value: Callable[[R], object], order: tuple[str, bool]) -> Rows[R]:
        """Return them ordered by a value; equal and unknown (None) values keep the order they came in."""
        if self.order == order:
            return self
        values: list[Any] = list(map(value, self.items))
        unknown = [i for i, each in enumerate(values) if each is None] if None in values else []
        known = [i for i, each in enumerate(values) if each is not None] if unknown else range(len(values))
        places = sorted(known, key=values.__getitem__, reverse=order[1])
        return Rows([*map(self.items.__getitem__, (*places, *unknown))], self._key, order)
