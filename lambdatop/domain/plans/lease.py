"""Describe the shared lease: a note in a table that says who works on a thing now.

It is advisory. AWS checks no fence, so a lease forbids nothing; it lets two responders see each other before
they act. Whoever cannot get one, or cannot reach the table, acts all the same and is told.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from lambdatop.domain.keys import Key


class Held(Struct, frozen=True):
    """Who has the lease until when (s since the epoch). `fence` grows each time it is taken or renewed."""

    owner: str
    until: float
    fence: int

    @property
    def words(self) -> str:
        """`kim@bastion until 12:03:10 UTC (fence 7)`."""
        return f"{self.owner} until {clock(self.until)} (fence {self.fence})"


class Leased(Struct, frozen=True):
    """The result of taking a lease.

    `mine` when it is ours now, `held` says whose it is (None when nobody could tell), `words` is one sentence
    or clause for a person in each case.
    """

    mine: bool
    held: Held | None
    words: str


def taken(held: Held) -> Leased:
    """Return the answer for a lease that this process holds."""
    return Leased(True, held, f"lease taken until {clock(held.until)} (fence {held.fence})")


def held_by_other(held: Held) -> Leased:
    """Return the answer for a lease that somebody else holds."""
    return Leased(False, held, f"held by {held.words}")


def not_known(sentence: str) -> Leased:
    """Return the answer for a lease of unknown state; `sentence` explains it."""
    return Leased(False, None, sentence)


def lease_name(target: Key) -> str:
    """Return the key of a target in the table: `account/region/kind/id`."""
    return f"{target.scope}/{target.kind}/{target.id}"


def clock(at: float) -> str:
    """Return a time of day in UTC; `?` for what no calendar holds (the table is foreign)."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "?"
