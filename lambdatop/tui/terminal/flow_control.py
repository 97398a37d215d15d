"""Limit what is sent to the terminal ahead of what it has shown.

The kernel's and SSH's buffers hide how slow a line is. So each piece of a frame ends with the question
where the cursor is (`ESC [ 6 n`, which every terminal knows); the answer says that the piece arrived.
A key that is pressed now waits for what is under way, so that is kept to what the line carries while an
answer comes, plus `QUEUE_S`. (TCP's BBR does the same; what follows is its idea in small.)
"""

from __future__ import annotations

from collections import deque

QUESTION = "\x1b[6n"
FIRST = 1_024
LEAST = 384
MOST = 262_144
QUEUE_S = 0.06
FADING = 0.7
"""How much of an old speed is kept when a full line turns out to be slower."""
FIRST_PATIENCE_S, PATIENCE_S = 1.5, 6.0
"""Without any answer for so long there is nobody to ask: everything is written as it comes."""


class Window:
    """Bytes that may be under way. All times in s of one steady clock."""

    def __init__(self) -> None:
        self._under_way: deque[tuple[float, int, int]] = deque()
        self._sum = 0
        self._arrived = 0
        self._size = FIRST
        self._speed = 0.0
        self._quickest = PATIENCE_S
        self._heard = False
        self._blind = False

    @property
    def answers(self) -> bool:
        """Whether the terminal has ever answered."""
        return self._heard

    def room(self, now: float) -> int:
        """Return the bytes that the next piece may have, 0 for none now."""
        wait_s = PATIENCE_S if self._heard else FIRST_PATIENCE_S
        if self._under_way and now - self._under_way[0][0] > wait_s:
            self._blind = True
            self._under_way.clear()
            self._sum = 0
        if self._blind:
            return MOST
        # In pieces, so that the next is written before the last is answered.
        return min(self._size - self._sum, max(LEAST, self._size // 4)) if self._sum < self._size else 0

    def sent(self, now: float, count: int) -> None:
        """Note that `count` bytes and a query were written."""
        self._under_way.append((now, count, self._arrived))
        self._sum += count

    def answered(self, now: float, *, more: bool) -> None:
        """Note that the oldest query was answered.

        `more`: something waits for room, so the line is in full use.
        """
        self._blind, self._heard = False, True
        if not self._under_way:
            return
        asked, count, before = self._under_way.popleft()
        self._sum -= count
        self._arrived += count
        took = max(1e-4, now - asked)
        self._quickest = min(self._quickest, took)
        if count < LEAST // 2:
            return  # such a small piece says how far away the terminal is, but not how fast the line
        speed = (self._arrived - before) / took
        if speed >= self._speed:
            self._speed = speed
        elif more:
            self._speed = FADING * self._speed + (1 - FADING) * speed
        self._size = int(min(MOST, max(LEAST, self._speed * (self._quickest + QUEUE_S))))
