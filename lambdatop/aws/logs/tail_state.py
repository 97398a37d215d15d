"""Keep the state of reading one function's log: what was read, what was seen, which lines are new.

A line is its stream, its timestamp and its text, because Live Tail sends no event id. Lines that are equal
in all three are told apart by counting them: within one complete reading (a window of polling, a session
of Live Tail) the n-th of its kind is the same as the n-th of every other reading. So a line that came
twice, from whatever source, is emitted once, and two equal lines are emitted twice.

Lines come late and out of order. The head window reads the newest again and again with a small overlap;
behind it the sweep reads every second once more when it is `LATE_S` old, and finds what came later than
the overlap reaches; and once more when it is `LAST_S` old.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdatop.aws.sdk.event_stream import Raw

BACKFILL_S = 600.0
OVERLAP_S = (3.0, 60.0)
OVERLAP_EVENTS = 2000
LATE_S = 45.0
"""A second is settled when it was read at this age; what comes later than that, the last reading finds."""

LAST_S, LAST_EVERY_S = 180.0, 30.0
"""Every second is read a last time at this age, in windows of so many seconds: two requests a minute and log.
Lines that become visible 90, 120 and 143 s after their time were seen (grafana/alloy#5854); what comes later
than this is not looked for."""

SWEEP_S = 15.0
LAGS_S = 120.0
"""Most that the sweep should be behind; when it is further behind, a note says so."""

BEHIND_ROUNDS = 4
BEHIND_S = 30.0
JUMP_S = 10.0
KEEP_SEEN = 200_000
SPAN_S = 10
RATE_S = 60.0
TEXT_CHARS = 2000


def content(event: Raw) -> int:
    """Return a number for the content of a line, which has a meaning within this process only."""
    text = str(event.get("message") or "")[:TEXT_CHARS].rstrip("\n")
    return hash((event.get("logStreamName"), event.get("timestamp"), text))


def moment(event: Raw) -> float:
    """Return the event's timestamp, s since the epoch."""
    return float(event.get("timestamp") or 0) / 1000


class Counts:
    """How many lines of each content there were, by spans of their timestamps, which are dropped whole."""

    def __init__(self) -> None:
        self._spans: dict[int, dict[int, int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def get(self, at: float, what: int) -> int:
        """Return how many there were."""
        return self._spans.get(int(at // SPAN_S), {}).get(what, 0)

    def put(self, at: float, what: int, count: int) -> None:
        """Store how many there were."""
        self._spans.setdefault(int(at // SPAN_S), {})[what] = count

    def since(self, at: float) -> int:
        """Return how many different lines have a timestamp after `at` (rounded to the span)."""
        first = int(at // SPAN_S)
        return sum(len(lines) for span, lines in self._spans.items() if span >= first)

    def forget(self, before: float) -> float:
        """Drop spans that end before a moment (-inf: none); returns where the remembered time begins."""
        if before == -math.inf:
            return before
        first = int(before // SPAN_S)
        for span in [span for span in self._spans if span < first]:
            del self._spans[span]
        return float(first * SPAN_S)

    def squeeze(self, most: int, spare: float) -> float:
        """Drop the oldest spans until `most` lines are left; returns where the remembered time begins.

        Spans after `spare` stay, whatever they hold.
        """
        begins = -math.inf
        left = len(self)
        for span in sorted(self._spans):
            if left <= most or (span + 1) * SPAN_S > spare:
                break
            left -= len(self._spans.pop(span))
            begins = float((span + 1) * SPAN_S)
        return begins


@dataclass(slots=True)
class Window:
    """One reading of [start, end] by pages, oldest first; times in s since the epoch.

    `begun` is when it was opened, `rounds` in how many rounds pages were left over, `first` and `position`
    the oldest and the newest timestamp so far, `ids` those of the page that is taken.
    """

    start: float
    begun: float
    end: float | None = None
    newest_first: bool = False
    token: str | None = None
    rounds: int = 0
    lines: int = 0
    first: float = math.inf
    position: float = 0.0
    counts: dict[int, int] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    ids_before: set[str] = field(default_factory=set)

    def turn_page(self) -> None:
        """Begin another page, which may repeat what the page before it brought.

        Keeping all ids of a window that falls behind took 23 MB for each fast log, and 14 ms to free.
        """
        self.ids_before, self.ids = self.ids, set()


@dataclass(slots=True)
class Tail:
    """The state of reading one function's log. Times in s since the epoch.

    `begun` is the beginning of the last head window that was read to its end, `watched` the last moment at
    which polling or Live Tail read the log, `settled` the moment up to which late lines were
    looked for. `owed` are new events that were not emitted yet, `notes` sentences to emit with them.
    """

    backfill_s: float = BACKFILL_S
    newest: float | None = None
    begun: float = -math.inf
    watched: float | None = None
    settled: float = -math.inf
    floor: float = -math.inf
    rate: float = 0.0
    polled: float = -math.inf
    head: Window | None = None
    sweep: Window | None = None
    last_settled: float = -math.inf
    last: Window | None = None
    seen: Counts = field(default_factory=Counts)
    live: Counts = field(default_factory=Counts)
    session: int = 0
    owed: list[Raw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def next_start(self, now: float) -> float:
        """Start of the next window: the newest line minus an overlap, never older than the backfill.

        The overlap is shorter for a fast log, which would otherwise be read again most of the time.
        """
        oldest = max(now - self.backfill_s, self.floor)
        if self.newest is None:
            return oldest
        return max(oldest, min(self.newest, now) - self.overlap_s())

    def overlap_s(self) -> float:
        """Return how much of what was read is read again, s."""
        low, high = OVERLAP_S
        return min(high, max(low, OVERLAP_EVENTS / self.rate)) if self.rate else high

    def open_head(self, now: float) -> Window:
        """Return the window to go on with; notes what had to be skipped for it."""
        head = self.head
        if head is not None:
            behind_s = now - JUMP_S - max(head.position, head.start)
            if head.rounds < BEHIND_ROUNDS or behind_s < BEHIND_S:
                return head
            # Reading on from the old position would fall behind for ever: skip to now, and say so.
            lines = head.lines / max(1.0, head.position - head.first) * behind_s
            about = f"{float(f'{lines:.2g}'):,.0f}"
            self.notes.append(
                f"this log is faster than it may be read: {behind_s:.0f} s of it, about {about} lines "
                "at its pace, were skipped; they are read later if it calms down"
            )
            self.newest = now - JUMP_S
            self.head = Window(self.newest, now)
            return self.head
        start = self.next_start(now)
        if self.watched is not None and self.watched < now - self.backfill_s:
            missed_s = now - self.backfill_s - self.watched
            self.notes.append(f"the {missed_s:.0f} s while it was not watched were not read")
            self.settled = max(self.settled, start)
        self.head = Window(start, now, newest_first=self.newest is None)
        return self.head

    def close_head(self, now: float) -> None:
        """Finish the head window, which was read to its end."""
        head, self.head = self.head, None
        if head is None:
            return
        first = self.begun == -math.inf
        self.begun, self.watched = head.begun, now
        if first or head.start <= self.settled:
            # It began within what is settled, so it was a sweep, too.
            self.settled = max(self.settled, head.begun - LATE_S)
        if first:
            self.last_settled = max(head.start, head.begun - LAST_S)
        # The rate of the last busy minute, because the overlap reads that minute again.
        self.rate = self.seen.since(min(self.newest or now, now) - RATE_S) / RATE_S

    def open_sweep(self, now: float) -> Window | None:
        """Return the window in which late lines are looked for, when one is due."""
        if self.sweep is None and self.settled > -math.inf and now - LATE_S - self.settled >= SWEEP_S:
            start = max(self.settled, self.floor, now - max(self.backfill_s, LAGS_S))
            if start - self.settled >= 1.0:
                self.notes.append(
                    f"{start - self.settled:.0f} s of this log were not read again: lines that came more "
                    f"than {self.overlap_s():.0f} s late are missing there"
                )
            self.settled = start
            self.sweep = Window(start, now, end=now - LATE_S)
        if self.sweep is not None and now - self.settled > LAGS_S:
            self.notes.append(f"lines that came late are looked for {now - self.settled:.0f} s behind")
        return self.sweep

    def close_sweep(self) -> None:
        """Finish the sweep: what it was to read is settled."""
        if self.sweep is not None and self.sweep.end is not None:
            self.settled = max(self.settled, self.sweep.end)
        self.sweep = None

    def open_last(self, now: float) -> Window | None:
        """Return the window of the last reading of what is `LAST_S` old, when one is due."""
        end = now - LAST_S
        if self.last is None and self.last_settled > -math.inf and end - self.last_settled >= LAST_EVERY_S:
            start = max(self.last_settled, self.floor)
            if start - self.last_settled >= 1.0:
                self.notes.append(
                    f"{min(start, end) - self.last_settled:.0f} s of this log were not read a last time: "
                    f"lines that came more than {LATE_S:.0f} s late are missing there"
                )
            self.last_settled = min(start, end)
            if start < end:
                self.last = Window(start, now, end=end)
        return self.last

    def close_last(self) -> None:
        """Finish the last reading."""
        if self.last is not None and self.last.end is not None:
            self.last_settled = max(self.last_settled, self.last.end)
        self.last = None

    def take_page(self, window: Window, events: Iterable[Raw]) -> int:
        """Count events of one page and keep those not seen before; returns how many these are."""
        new = 0
        for event in events:
            id_ = event.get("eventId")
            if id_:
                if id_ in window.ids or id_ in window.ids_before:
                    continue  # the same page twice
                window.ids.add(id_)
            what, at = content(event), moment(event)
            window.lines += 1
            window.first, window.position = min(window.first, at), max(window.position, at)
            nth = window.counts[what] = window.counts.get(what, 0) + 1
            new += self._take(event, at, what, nth)
        if window is self.sweep:
            # Pages are in order of time: what is before this one is not read again.
            self.settled = max(self.settled, window.position)
        if window is self.last:
            self.last_settled = max(self.last_settled, window.position)
        return new

    def take_live(self, session: int, events: Iterable[Raw]) -> int:
        """Count what one Live Tail session brought; returns how many events were not seen before."""
        if session != self.session:
            self.session, self.live = session, Counts()
        new = 0
        for event in events:
            what, at = content(event), moment(event)
            nth = self.live.get(at, what) + 1
            self.live.put(at, what, nth)
            new += self._take(event, at, what, nth)
        return new

    def _take(self, event: Raw, at: float, what: int, nth: int) -> bool:
        self.newest = max(self.newest or at, at)
        if nth <= self.seen.get(at, what):
            return False
        self.seen.put(at, what, nth)
        self.owed.append(event)
        return True

    def forget(self, now: float) -> None:
        """Drop what no window will read again; no window begins before what is remembered.

        When that is too much to remember, windows begin later.
        """
        starts = [self.next_start(now), self.settled, self.last_settled]
        if self.head is not None:
            starts.append(max(self.head.start, self.head.position))
        self.live.forget(min(starts))
        remembered = self.seen.forget(min(starts))
        self.floor = max(self.floor, remembered, self.seen.squeeze(KEEP_SEEN, now - 2 * SPAN_S))
        if self.sweep is not None and self.settled < self.floor:
            self.sweep = None  # it would emit again what is forgotten
        if self.last is not None and self.last_settled < self.floor:
            self.last = None
