"""Hold what a log pane shows: a ring of display lines, those of them that are shown or match.

Three sorted lists. What arrives is put where it belongs in each; nothing is ever made anew for a line. When
the question changes (another filter, another search) the lists are made anew from the newest line
backwards, a piece at a time, so that no key waits for a hundred thousand lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import MS_S
from lambdatop.domain.search.patterns import Pattern
from lambdatop.tui.logview.feed import Fresh
from lambdatop.tui.logview.lines import Shown, display_lines
from lambdatop.tui.search import NO_FILTER, Filter

KEEP = 100_000
"""Display lines in memory; a traceback is one event of several lines."""

SEAM = 200
"""Events that come late are late by less than so many lines."""

SLICE = 500
"""Lines that are looked at in one piece: 10 ms where each takes an automaton."""

Place = tuple[int, int, int]


class LogBook:
    """The lines of one log; `view` is what is shown, `hits` what the search finds in it.

    `since` is the moment from which on older pages have brought everything (s since the epoch), None before
    the first one. `cut` says that the newest lines gave way to older ones: then new ones are not taken.
    """

    def __init__(self, keep: int = KEEP) -> None:
        self._keep = keep
        self._lines: list[Shown] = []
        self.view: list[Shown] = []
        self.hits: list[Shown] = []
        self.filter: Filter = NO_FILTER
        self.search: Pattern | None = None
        self.errors_only = False
        self.by_request = False
        self.since: float | None = None
        self.cut = False
        self._first: dict[str, int] = {}
        self._unfiltered = 0
        self._unsearched: Place | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def clear(self) -> None:
        """Begin another log; the filter and the search stay."""
        self._lines, self.view, self.hits = [], [], []
        self._first.clear()
        self._unfiltered, self._unsearched = 0, None
        self.since, self.cut = None, False

    # -- what arrives ----------------------------------------------------------------------------

    def append(self, lines: Iterable[Fresh]) -> int:
        """Append newer events.

        Return how many display lines they add to the view, or would add had they not to wait.
        """
        if self.cut:
            return sum(len(parts) for parts in map(display_lines, lines) if self._wants(parts))
        before = len(self._lines)
        added: list[Shown] = []
        for fresh in lines:
            parts = display_lines(fresh)
            self._lines += parts
            if self._wants(parts):
                added += parts
        if self.by_request and not self._unfiltered:
            self._learn(self._lines[before:])
            self._insert(self.view, added)
        else:
            self.view += added
        if self.search is not None:
            # What stands before `_unsearched` is looked at later anyway.
            found, done = self.search.found, self._unsearched or (0, 0, 0)
            self._insert(self.hits, [s for s in added if self.place(s) >= done and found(s.text)])
        self._trim()
        return len(added)

    def prepend(self, lines: Iterable[Fresh], since: float) -> None:
        """Prepend older events, from `since` on.

        They are searched in pieces, and the newest make room for them.
        """
        older = [shown for fresh in lines for shown in display_lines(fresh)]
        self.since = since
        self._lines[0:0] = older
        self._unfiltered += len(older)
        self._drop_newest()
        if self.by_request:
            # Requests that began earlier move: the whole order is made anew.
            self.view, self._unfiltered = [], len(self._lines)
            self._first.clear()
            while self._unfiltered:
                self._filter_piece()
        self.look_for(self.search)

    def _drop_newest(self) -> None:
        over = len(self._lines) - self._keep
        if over > 0:
            self.cut = True
            del self._lines[-over:]
            newest = self._lines[-1].place
            self.view = [s for s in self.view if s.place <= newest]
            self._unfiltered = min(self._unfiltered, len(self._lines))

    def seam(self) -> float | None:
        """Return the moment up to which older lines are missing (s since the epoch); None without any line.

        Lines come late: the first ones that are held are not the oldest for sure.
        """
        if self.since is not None:
            return self.since - MS_S
        return max((s.at for s in self._lines[:SEAM]), default=None)

    def unknown(self, lines: Sequence[tuple[Key, LogLine]]) -> list[tuple[Key, LogLine]]:
        """Return those of some older events that are not held yet; equal ones are counted."""
        if self.since is not None or not lines:
            return list(lines)
        until = max(line.at for _, line in lines)
        held = Counter((s.owner, s.at, s.text) for s in self._lines if not s.part and s.at <= until)
        several = any(owner for owner, _, _ in held)
        found = []
        for key, line in lines:
            text = display_lines(Fresh(line, 0))[0].text
            name = (key.id if several else "", line.at, text)
            if held[name]:
                held[name] -= 1
            else:
                found.append((key, line))
        return found

    def _insert(self, into: list[Shown], new: list[Shown]) -> None:
        for shown in new:
            if not into or self.place(into[-1]) < self.place(shown):
                into.append(shown)
            else:
                into.insert(bisect_left(into, self.place(shown), key=self.place), shown)

    def _trim(self) -> None:
        over = len(self._lines) - self._keep
        if over <= 0:
            return
        del self._lines[:over]
        self.since = None
        self._unfiltered = max(0, self._unfiltered - over)
        oldest = self._lines[0].place
        for kept in (self.view, self.hits):
            if self.by_request:
                kept[:] = [s for s in kept if s.place >= oldest]
            else:
                del kept[: bisect_left(kept, oldest, key=_arrival)]
        if self.by_request and len(self._first) > self._keep:
            alive = {s.request_id for s in self._lines}
            self._first = {id_: seq for id_, seq in self._first.items() if id_ in alive}

    # -- order -----------------------------------------------------------------------------------

    def place(self, shown: Shown) -> Place:
        """Return where a line stands in the view: by arrival, or with the first line of its request."""
        if self.by_request and shown.request_id:  # which `_first` does not know while the view is made
            return self._first.get(shown.request_id, shown.seq), shown.seq, shown.part
        return shown.seq, shown.seq, shown.part

    def index_of(self, shown: Shown) -> int:
        """Return where a line stands in the view, or would stand."""
        return bisect_left(self.view, self.place(shown), key=self.place)

    def hit_index(self, shown: Shown) -> int:
        """Return how many hits stand before a line."""
        return bisect_left(self.hits, self.place(shown), key=self.place)

    def _learn(self, lines: Sequence[Shown]) -> None:
        for shown in lines:
            if shown.request_id:
                self._first.setdefault(shown.request_id, shown.seq)

    # -- questions -------------------------------------------------------------------------------

    def ask(self, filter_: Filter, *, errors_only: bool, by_request: bool) -> bool:
        """Show something else, or in another order; False when it is what is shown already."""
        if (filter_.text, errors_only, by_request) == (self.filter.text, self.errors_only, self.by_request):
            return False
        self.filter, self.errors_only, self.by_request = filter_, errors_only, by_request
        self.view, self.hits = [], []
        self._first.clear()
        self._unfiltered = len(self._lines)
        self.look_for(self.search)
        self.go_on()
        return True

    def look_for(self, pattern: Pattern | None) -> None:
        """Search for something else, or for nothing."""
        self.search, self.hits = pattern, []
        self._unsearched = None if pattern is None else (1 << 62, 0, 0)

    @property
    def busy(self) -> bool:
        """Whether older lines have not been looked at yet."""
        return self._unfiltered > 0 or self._unsearched is not None

    @property
    def slow(self) -> bool:
        """Whether a line takes microseconds by the dozen."""
        return self.filter.slow or (self.search is not None and self.search.slow)

    def go_on(self) -> None:
        """Search one more piece."""
        if self._unfiltered:
            self._filter_piece()
        elif self._unsearched is not None and self.search is not None:
            self._search_piece(self.search.found, self._unsearched)

    def finish(self) -> None:
        """Search everything that is left."""
        while self.busy:
            self.go_on()

    def _filter_piece(self) -> None:
        end = self._unfiltered
        begin = max(0, end - SLICE)
        while begin and self._lines[begin].part:
            begin -= 1
        piece, self._unfiltered = self._lines[begin:end], begin
        if self.filter.active or self.errors_only:
            piece = [s for parts in _events(piece) if self._wants(parts) for s in parts]
        self.view[0:0] = piece
        if not begin and self.by_request:
            self._learn(self._lines)
            self.view.sort(key=self.place)

    def _search_piece(self, found: Callable[[str], bool], before: Place) -> None:
        end = bisect_left(self.view, before, key=self.place)
        begin = max(0, end - SLICE)
        self.hits[0:0] = [s for s in self.view[begin:end] if found(s.text)]
        self._unsearched = self.place(self.view[begin]) if begin else None

    def _wants(self, parts: Sequence[Shown]) -> bool:
        if self.errors_only and not parts[0].bad:
            return False
        if not self.filter.active:
            return True
        text = parts[0].text if len(parts) == 1 else "\n".join(s.text for s in parts)
        return self.filter.matches(text)

    # -- events ----------------------------------------------------------------------------------

    def event_of(self, shown: Shown) -> list[Shown]:
        """Return all lines of the event that a line belongs to."""
        at = bisect_left(self._lines, (shown.seq, 0), key=_arrival)
        parts = []
        for line in self._lines[at : at + KEEP]:
            if line.seq != shown.seq:
                break
            parts.append(line)
        return parts

    def error_from(self, index: int, step: int) -> int | None:
        """Index of the nearest failure beyond `index` in the view, going by `step` (1 or -1)."""
        at = index + step
        while 0 <= at < len(self.view):
            if self.view[at].bad and not self.view[at].part:
                return at
            at += step
        return None


def _arrival(shown: Shown) -> tuple[int, int]:
    return shown.seq, shown.part


def _events(lines: Sequence[Shown]) -> Iterable[Sequence[Shown]]:
    begin = 0
    for i, shown in enumerate(lines):
        if i and not shown.part:
            yield lines[begin:i]
            begin = i
    if lines:
        yield lines[begin:]
