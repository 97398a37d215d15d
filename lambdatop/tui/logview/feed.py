"""Find what is new in the tails of one or several functions, in one order, numbered for the pane. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, repeat
from typing import NamedTuple

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail as Tail

Tails = Mapping[Key, Tail | None]
"""The tails of the functions that are shown; None where nothing was read yet."""

GAP = "gap"
"""Kind of a line of our own that stands where lines are missing."""


class Fresh(NamedTuple):
    """A line for the pane: its number there, and whose it is ("" when there is only one)."""

    line: LogLine
    seq: int
    owner: str = ""


@dataclass(slots=True)
class _Batch:
    """Lines that wait, all of one `owner` or each of its own; `taken` of them are handed out already."""

    lines: Sequence[LogLine]
    owner: str
    owners: Sequence[str] | None = None
    taken: int = 0


class LogFeed:
    """Remembers how far each tail was taken. `about` says what is shown: something else begins anew."""

    def __init__(self) -> None:
        self._about: Hashable = None
        self._taken: dict[Key, int] = {}
        self._sources: dict[Key, Tail | None] = {}
        self._waiting: deque[_Batch] = deque()
        self._newest = 0.0
        self._next = 1
        self._first = 1

    @property
    def several(self) -> bool:
        """Whether lines have to say whose they are."""
        return len(self._taken) > 1

    def turn_to(self, about: Hashable, tails: Tails) -> bool:
        """Show these tails from now on; whether that means to begin anew.

        A function that joins what is shown already brings its lines from now on: what somebody reads
        stays where it is.
        """
        if about == self._about and set(tails) >= set(self._taken) and not self._restarted(tails):
            for key in set(tails) - set(self._taken):
                self._taken[key] = _last_before(tails[key], self._newest)
            return False
        self._about = about
        self.begin(tails)
        return True

    def begin(self, keys: Iterable[Key]) -> None:
        """Hand everything out again that the tails hold."""
        self._taken = dict.fromkeys(keys, 0)
        self._sources.clear()
        self._waiting.clear()
        self._newest, self._next, self._first = 0.0, 1, 1

    def _restarted(self, tails: Tails) -> bool:
        return any(t is not None and t.next_seq <= self._taken.get(k, 0) for k, t in tails.items())

    def take(self, tails: Tails) -> None:
        """Note what came since the last call; `piece` hands it out."""
        found: list[_Batch] = []
        for key, tail in tails.items():
            if tail is not None and tail is not self._sources.get(key):
                self._sources[key] = tail
                found += self._new_of(key, tail)
        if len(found) > 1 and self.several:
            pairs = [(line, batch.owner) for batch in found for line in batch.lines]
            pairs.sort(key=lambda pair: pair[0].at)
            found = [_Batch([line for line, _ in pairs], "", [owner for _, owner in pairs])]
        self._waiting += found

    @property
    def waiting(self) -> bool:
        """Whether lines were noted that nobody has got yet."""
        return bool(self._waiting)

    def piece(self, most: int) -> list[Fresh]:
        """Return the next lines, `most` at most: of one function in order of arrival, of several by time.

        Numbering tens of thousands at once would delay a key, so it is done here.
        """
        fresh: list[Fresh] = []
        while self._waiting and len(fresh) < most:
            batch = self._waiting[0]
            lines = batch.lines[batch.taken : batch.taken + most - len(fresh)]
            owners = batch.owners[batch.taken :] if batch.owners is not None else repeat(batch.owner)
            numbers = count(self._next)
            fresh += [Fresh(*one) for one in zip(lines, numbers, owners, strict=False)]
            self._next += len(lines)
            batch.taken += len(lines)
            if batch.taken >= len(batch.lines):
                self._waiting.popleft()
        if fresh:
            self._newest = max(self._newest, max(f.line.at for f in fresh))
        return fresh

    def _new_of(self, key: Key, tail: Tail) -> Iterator[_Batch]:
        taken, owner = self._taken[key], key.id if self.several else ""
        new = tail.after(taken)
        if not new:
            return
        self._taken[key] = new[-1].seq
        lost = new[0].seq - taken - 1
        if taken and lost > 0:
            words = (
                f"{lost:,} lines came faster than they could be kept here; `lambdatop logs {key.id}` has them"
            )
            yield _Batch([LogLine(0, new[0].at, "", "", GAP, GAP, words)], owner)
        yield _Batch(new, owner)

    def older(self, lines: Iterable[tuple[Key, LogLine]]) -> list[Fresh]:
        """Return lines from before all others, oldest first, numbered downwards."""
        found = [(line, key.id if self.several else "") for key, line in lines]
        self._first -= len(found)
        return [Fresh(line, self._first + i, owner) for i, (line, owner) in enumerate(found)]


def _last_before(tail: Tail | None, at: float) -> int:
    """Return the number of the newest line of a tail that is not newer than a moment (s since the epoch)."""
    return max((line.seq for line in tail.lines if line.at <= at), default=0) if tail is not None else 0


def labels(names: Iterable[str], width: int) -> dict[str, str]:
    """Return short names of the same length, for a column, without their common beginning.

    `width` is the most cells that one may take.
    """
    known = sorted(set(names))
    shared = _shared_words(known)
    short = {name: f"…{name[shared:]}" if shared else name for name in known}
    longest = min(width, max(map(len, short.values()), default=0))
    return {n: (s if len(s) <= longest else s[: longest - 1] + "…").ljust(longest) for n, s in short.items()}


def _shared_words(names: list[str]) -> int:
    """Return how many characters all names share, up to a `-` or `_`; 0 when that saves little."""
    if len(names) < 2:
        return 0
    first, last = names[0], names[-1]
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(map(len, names))
    )
    cut = max(first.rfind("-", 0, same), first.rfind("_", 0, same)) + 1
    return cut if cut > 3 else 0
