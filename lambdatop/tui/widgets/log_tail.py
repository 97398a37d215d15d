"""The log tail: a bounded ring of display lines, of which only the visible ones are styled.

Etiquette: it follows the end until somebody scrolls up; then it stands still, counts what arrives, and
follows again from the last line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lambdatop.domain.logline import LogLine
from lambdatop.domain.scope import Key
from lambdatop.domain.world import LogTail as Tail
from lambdatop.tui import format as fmt
from lambdatop.tui.filtering import NO_FILTER, Filter
from lambdatop.tui.ink import Span, Spans, spans
from lambdatop.tui.theme import inks_of
from lambdatop.tui.widgets.moving import Moving

KEEP = 10_000
"""Display lines in memory; a traceback is one event of several lines."""

FULL_STAMP_FROM = 100

LEVELS = {
    "trace": ("trace", "log_debug"),
    "debug": ("debug", "log_debug"),
    "info": ("info", "log_info"),
    "warn": ("WARN", "log_warn"),
    "error": ("ERROR", "log_error"),
    "fatal": ("FATAL", "log_error"),
}
PLATFORM = ("start", "end", "report", "init")


_STAMP = r"\d{4}-\d\d-\d\dT[\d:.]{8,15}Z"
_RID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEAD = re.compile(rf"(START|END) RequestId: ({_RID})")
_PREFIX = re.compile(
    rf"\[[A-Z]{{4,8}}\]\s+{_STAMP}\s+(?P<a>{_RID})\s+|{_STAMP}\s+(?P<b>{_RID})\s+[A-Z]{{4,5}}\s+"
)
"""What Python's (`[INFO] time id`) and Node's (`time id INFO`) runtimes put before a message."""


class Shown(NamedTuple):
    """One display line: the event, its text, and whether it is the event's first line."""

    line: LogLine
    text: str
    first: bool


def display_lines(line: LogLine) -> Iterable[Shown]:
    """The display lines of one event."""
    for i, text in enumerate(line.text.rstrip("\n").split("\n")):
        yield Shown(line, text, i == 0)


def render(shown: Shown, width: int) -> Spans:
    """One display line: time, level as a word, short request id, text. Continuations are indented.

    The time and the whole request id that Lambda's runtimes put before a message are left out: the line
    begins with the event's own time, and eight digits tell requests apart.
    """
    line = shown.line
    stamp = fmt.clock_ms(line.at) if width >= FULL_STAMP_FROM else fmt.clock(line.at)
    word, slot = LEVELS.get(line.level, ("", "log_info"))
    platform = line.kind in PLATFORM
    if platform and not line.level:
        word, slot = line.kind, "log_platform"
    if not shown.first:
        return spans(" " * (len(stamp) + 8), (shown.text, "log_info" if line.level else slot))
    body = "log_platform" if platform else slot
    rid, text = (f"{line.request_id[:8]} ", _report(line)) if line.report else _without_prefix(shown.text)
    return spans((stamp + " ", "faint"), (f"{word:<6} ", slot), (rid, "faint"), (text, body))


def _report(line: LogLine) -> str:
    """The numbers of a REPORT line in few words."""
    r = line.report
    if r is None or r.duration_ms is None:
        return line.text
    words = [f"REPORT  {fmt.millis(r.duration_ms)} ms", f"billed {fmt.millis(r.billed_ms)} ms"]
    words.append(f"memory {fmt.number(r.max_memory_mb)} of {fmt.number(r.memory_mb)} MB")
    words.append(f"init {fmt.millis(r.init_ms)} ms" if r.init_ms is not None else "")
    words += [r.status, r.error_type]
    return "  ".join(w for w in words if w)


def _without_prefix(text: str) -> tuple[str, str]:
    match = _PREFIX.match(text)
    if match is not None:
        rid = match.group("a") or match.group("b")
        return f"{rid[:8]} ", text[match.end() :]
    match = _HEAD.match(text)
    if match is not None:
        return f"{match.group(2)[:8]} ", match.group(1) + text[match.end() :]
    return "", text


class LogTail(Moving, ScrollView, can_focus=True, inherit_bindings=False):
    """The newest lines of one function's log."""

    BINDINGS = Moving.BINDINGS

    class Changed(Message):
        """Following or the number of unseen lines changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key: Key | None = None
        self._seq = 0
        self._source: Tail | None = None
        self._filter = NO_FILTER
        self._ring: deque[Shown] = deque(maxlen=KEEP)
        self.following = True
        self.unseen = 0
        self.greyed = False
        self._empty: Spans = ()

    # -- content ---------------------------------------------------------------------------------

    def say_when_empty(self, words: Spans) -> None:
        """What stands here while there are no lines."""
        if words != self._empty:
            self._empty = words
            if not self._ring:
                self.refresh()

    def show(
        self, key: Key | None, tail: Tail | None, filter_: Filter = NO_FILTER, *, greyed: bool = False
    ) -> None:
        """Lines of `key` that have come since the last call; another key or filter starts anew."""
        if greyed != self.greyed:
            self.greyed = greyed
            self.refresh()
        if key != self._key or filter_.text != self._filter.text or self._restarted(tail):
            self._key, self._filter, self._seq = key, filter_, 0
            self._ring.clear()
            self.following, self.unseen = True, 0
            self._resize()
            self.refresh()
        if tail is None or (tail is self._source and self._seq):
            self._source = tail
            return
        self._source = tail
        self._append(tail)

    def _restarted(self, tail: Tail | None) -> bool:
        return tail is not None and tail.next_seq <= self._seq

    def _append(self, tail: Tail) -> None:
        new = tail.after(self._seq)
        if not new:
            return
        self._seq = new[-1].seq
        before, added = len(self._ring), 0
        for line in new:
            if self._filter.matches(line.text):
                for shown in display_lines(line):
                    self._ring.append(shown)
                    added += 1
        if not added:
            return
        dropped = before + added - len(self._ring)
        self._resize()
        if self.following:
            self._to_end()
        else:
            self.unseen += added
            if dropped:
                self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False, force=True)
        self.refresh()
        self.post_message(self.Changed())

    def _resize(self) -> None:
        size = Size(self.size.width, len(self._ring))
        if size != self.virtual_size:
            self.virtual_size = size

    @property
    def line_count(self) -> int:
        """Display lines in memory."""
        return len(self._ring)

    # -- moving ----------------------------------------------------------------------------------

    @property
    def _end(self) -> int:
        return max(0, len(self._ring) - self.size.height)

    def _to_end(self) -> None:
        self.scroll_to(y=self._end, animate=False, force=True)

    @property
    def page_lines(self) -> int:
        """Lines that fit on the screen."""
        return max(1, self.size.height)

    def step(self, lines: int) -> None:
        """Scroll; upwards stops following, the end resumes it."""
        target = max(0, min(self._end, self.scroll_offset.y + lines))
        self.scroll_to(y=target, animate=False, force=True)
        self._follow(target >= self._end)

    def _follow(self, following: bool) -> None:
        if following != self.following or (following and self.unseen):
            self.following = following
            if following:
                self.unseen = 0
            self.post_message(self.Changed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Also the wheel and the scroll bar stop and resume the following."""
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) < round(old_value) and round(new_value) < self._end:
            self._follow(False)
        elif round(new_value) >= self._end:
            self._follow(True)

    def on_resize(self) -> None:
        """A tail that follows still follows in its new size."""
        if self.following:
            self._to_end()

    # -- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, inks, base = self.size.width, inks_of(self.app), self.rich_style
        index = self.scroll_offset.y + y
        if index < len(self._ring):
            pieces = render(self._ring[index], width)
        else:
            pieces = self._empty if not self._ring and y == 0 else ()
        if self.greyed:
            pieces = tuple(Span(p.text, "stale") for p in pieces)
        segments, style = inks.segments(pieces, base)
        return Strip(segments).adjust_cell_length(width, style)
