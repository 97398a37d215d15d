"""Keep log lines that left the World until no snapshot on screen holds them, then free them.

Whoever holds a snapshot last frees what no newer one has. With logs that pour in these are fifty thousand
lines and 0.2 s in one piece, and the last one is the screen, when it takes the next snapshot. So they are
held here until the screen has gone on, and freed in pieces between two keys.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping

from lambdatop.domain.cooperative import GiveWay, release_in_pieces
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail

Logs = Mapping[Key, LogTail]

NOBODY = -1
"""The number before all snapshots: what it stands for was shown to nobody, and waits for nobody."""


class DeferredFree:
    """The engine alone adds lines; `done_with` may be called from any thread."""

    def __init__(self, give_way: GiveWay) -> None:
        self._give_way = give_way
        self._held: deque[tuple[int, list[LogLine]]] = deque()
        self._done_with = sys.maxsize
        self._shown: Mapping[Key, int] = {}

    def __len__(self) -> int:
        """Return the number of lines held."""
        return sum(len(lines) for _, lines in self._held)

    def done_with(self, seq: int, logs: Logs) -> None:
        """Release snapshots before number `seq` and lines that are not in `logs`.

        Until this is called, none are released.
        """
        self._shown = {function: tail.next_seq for function, tail in logs.items()}
        self._done_with = seq

    def keep(self, old: Logs, new: Logs, seq: int) -> None:
        """Take what snapshot number `seq` with its logs `new` has no more of the logs of the one before.

        Lines that nobody was shown wait for nobody: a screen that is paused keeps what it holds, and no more.
        """
        for function, tail in old.items():
            now = new.get(function)
            if now is not tail:
                begin = _begin(tail)
                gone = max(0, (_begin(now) if now else tail.next_seq) - begin)
                lines = [*tail.burst, *tail.lines][:gone]
                shown = max(0, self._shown.get(function, 0) - begin)
                self._held.append((seq, lines[:shown]))
                self._held.appendleft((NOBODY, lines[shown:]))

    def clear(self) -> None:
        """Free what no snapshot holds."""
        while self._held and self._held[0][0] <= self._done_with:
            release_in_pieces(self._held.popleft()[1], self._give_way)


def _begin(tail: LogTail) -> int:
    """Return the number of its first line."""
    return tail.next_seq - len(tail.lines) - len(tail.burst)
