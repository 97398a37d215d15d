"""Show the log tail: new lines of one or several functions, and older pages, in a bounded ring."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from time import monotonic

from lambdatop.domain.loglines.tail import Older
from lambdatop.tui.logview.feed import LogFeed, Tails
from lambdatop.tui.logview.view import LogView
from lambdatop.tui.search import NO_FILTER, Filter
from lambdatop.tui.style.spans import Spans

PIECE_LINES = 500
"""Lines that are taken in at once: some 4 ms."""

PAINT_S = 0.25
"""While lines pour in, the end is painted so often; keys paint at once."""

REST_S = 0.01
"""The pause after them: 25,000 lines a second come in, and a key waits for 4 ms of it."""

PIECES, SLOW_PIECES, PAUSE_S = 8, 1, 0.02
"""Pieces of a sweep between two keys, and the pause after them."""


class LogTail(LogView):
    """The newest lines of some functions' logs, and as many older ones as are asked for."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._feed = LogFeed()
        self._tails: Tails = {}
        self._appending = False
        self._painted = 0.0
        self._sweeping = False
        self.oldest = False

    # -- content ---------------------------------------------------------------------------------

    def set_empty_text(self, words: Spans) -> None:
        """Set the text shown while there are no lines."""
        if words != self._empty:
            self._empty = words
            if not self.book.view:
                self.refresh()

    def show(
        self, about: Hashable, tails: Tails, filter_: Filter = NO_FILTER, *, greyed: bool = False
    ) -> None:
        """Show lines that have come since the last call.

        When it is `about` another log, all that are held.
        """
        if greyed != self.greyed:
            self.greyed = greyed
            self.refresh()
        if self._feed.turn_to(about, tails):
            self._begin()
        names = tuple(sorted(key.id for key in tails))
        if names != self._names:
            self.name_lines(names)
        if filter_.text != self.book.filter.text:
            self.ask(filter_)
        self._tails = dict(tails)
        self._append()

    def _begin(self) -> None:
        self.book.clear()
        self.revealed = self.cursor = None
        self.following, self.unseen, self.oldest = True, 0, False
        self.repaint()

    def _append(self) -> None:
        """Take what has come, a piece at a time: between two pieces keys are heard."""
        self._feed.take(self._tails)
        if not self._appending:
            self._append_piece()

    def _append_piece(self) -> None:
        self._appending = False
        new = self._feed.piece(PIECE_LINES)
        if not new:
            return
        if self._feed.waiting and self.following and monotonic() - self._painted < PAINT_S:
            self.book.append(new)
        else:
            self._painted = monotonic()
            with self._standing_still():
                added = self.book.append(new)
                self.unseen += 0 if self.following else added
            self.on_change()
        self._sweep()
        if self._feed.waiting:
            self._appending = True
            self.set_timer(REST_S, self._append_piece)

    def go_back(self, asked: float, older: Older) -> None:
        """Take an older page, asked for up to `asked` (s since the epoch); too late, it is dropped."""
        if asked != self.book.seam():
            return
        self.oldest = older.end
        new = self._feed.older(self.book.unknown(older.lines))
        with self._standing_still():
            self.book.prepend(new, older.since)
        self.on_change()
        self._sweep()

    def follow(self) -> None:
        """Follow the end again; what had to make room for older lines comes back from the tails."""
        if self.book.cut:
            self.post_message(
                self.Said(
                    "Showing the newest lines; those in between were dropped to make room for older ones."
                )
            )
            self._feed.begin(self._tails)
            self._begin()
            self._append()
        super().follow()

    def ask(self, filter_: Filter | None = None) -> None:
        """Show what the filter and the switches leave, from the same line on where it is still there."""
        with self._standing_still():
            asked = self.book.filter if filter_ is None else filter_
            self.book.ask(asked, errors_only=self.errors_only, by_request=self.by_request)
        self.on_change()
        self._sweep()

    def _sweep(self) -> None:
        """Search older lines in pieces small enough that no key waits for them."""
        if not self.book.busy or self._sweeping:
            return
        with self._standing_still():
            for _ in range(SLOW_PIECES if self.book.slow else PIECES):
                self.book.go_on()
        self.on_change()
        if self.book.busy:
            self._sweeping = True
            self.set_timer(PAUSE_S, self._sweep_on)

    def _sweep_on(self) -> None:
        self._sweeping = False
        self._sweep()

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Keep the position during changes: the end while following, else the line on top."""
        view = self.book.view
        top = view[min(self.top, len(view) - 1)] if view and not self.following else None
        yield
        self.repaint()
        if self.following:
            self._to_end()
        elif top is not None or self.cursor is not None:
            # A line that is gone gives way to the one in its place.
            self._place(self.book.index_of(top or self.cursor or self.book.view[0]))
