"""Join the events that one statement of a program wrote into a record. Pure.

A stack trace that goes to stderr line by line becomes one record again, and every record knows its
request: by its own id where the platform wrote it, otherwise by the START line that it follows in its
stream. The order of arrival does not matter to `join`; a `Joiner` takes lines as they come.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.stack_traces import Mode, begins, goes_on

GAP_S: Final = 2.0
"""Lines of one trace are written at once; a line that comes this much later is not its continuation (s)."""
MOST_LINES: Final = 1000
"""Events of one record; a longer trace goes on in the next one."""
MOST_LATE: Final = 100
"""Events of an open record up to which a late line is looked for its place: all after it are read again."""
MOST_STREAMS: Final = 10_000
"""Streams that a Joiner remembers; the one without lines for longest is forgotten first."""
HISTORY: Final = 64
"""STARTs and ENDs that are remembered of each stream, for lines that come late."""

Position = tuple[float, int, int]
"""Where a line stands in its stream: stamp, number, stage of an execution.

Stamps are whole milliseconds. Lines of one millisecond keep the order of their numbers; without numbers
(`seq` 0) that of an execution's stages, and then that of their arrival.
"""
_STAGE = {"init": 0, "start": 1, "end": 3, "report": 4}
_PLATFORM = ("start", "end", "report", "init", "timeout")
_RANK = {"": 0, "trace": 1, "debug": 2, "info": 3, "warn": 4, "error": 5, "fatal": 6}


def position(line: LogLine) -> Position:
    """Return the sort key of a line within its stream."""
    return (line.at, line.seq, 0 if line.seq else _STAGE.get(line.kind, 2))


class Record(Struct, frozen=True):
    """One statement of a program: its first event and those that continue it.

    `kind`, `level` and `signature` are those of LogLine, for the whole record; `request_id` is "" where no
    line in view says it.
    """

    first: LogLine
    rest: tuple[LogLine, ...] = ()
    request_id: str = ""
    kind: str = "app"
    level: str = ""
    signature: str = ""

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """All events, in order."""
        return (self.first, *self.rest)

    @property
    def text(self) -> str:
        """The whole text, one line feed between events; carriage returns end lines too."""
        text = "\n".join(line.text for line in self.lines) if self.rest else self.first.text
        return text.replace("\u240d\n", "\n").replace("\u240d", "\n") if "\u240d" in text else text

    @property
    def at(self) -> float:
        """Stamp of the first event (s since the epoch)."""
        return self.first.at

    @property
    def stream(self) -> str:
        """The log stream, which is one execution environment."""
        return self.first.stream


@dataclass(slots=True)
class _Stream:
    """What a Joiner knows of one stream: the open record and which request was served when."""

    lines: list[LogLine] = field(default_factory=list)
    mode: Mode = ""
    served: list[tuple[Position, str]] = field(default_factory=list)

    def request(self, line: LogLine) -> str:
        """Return the request that a line belongs to.

        An id that the application wrote counts where no START is in view, or when this stream started it (an
        environment that serves several requests at once); otherwise it may be anybody's.
        """
        own = line.request_id
        if own and (line.kind in _PLATFORM or not self.served):
            return own
        at = bisect_right(self.served, (position(line), "\U0010ffff")) - 1
        serving = self.served[at][1] if at >= 0 else ""
        near = self.served[max(0, at - HISTORY) : at + 1]
        return own if own and (not serving or any(own == id_ for _, id_ in near)) else serving

    def note(self, line: LogLine) -> None:
        """Remember a START or an END, also one that comes late."""
        if line.kind in ("start", "end"):
            insort(self.served, (position(line), line.request_id if line.kind == "start" else ""))

    def forget(self) -> None:
        """Keep only the newest STARTs and ENDs; called when nobody asks for older ones any more."""
        del self.served[:-HISTORY]


class Joiner:
    """Joins lines into records as they come, in batches.

    Lines should come in the order of their streams; a late one finds its place in the open record, or
    becomes a record of its own with the request that was served at its time.
    """

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def feed(self, lines: Iterable[LogLine]) -> tuple[Record, ...]:
        """Return the records that `lines` complete, in the order of their first lines.

        A record is complete when its stream goes on with something else; see `open` and `settle` for the last
        one of each stream.
        """
        done: list[Record] = []
        batch = sorted(lines, key=position)
        for line in batch:
            # All STARTs and ENDs of a batch are known before its lines are asked whose they are.
            self._stream(line.stream, done).note(line)
        for line in batch:
            self._take(self._stream(line.stream, done), line, done)
        for name in {line.stream for line in batch} & self._streams.keys():
            self._streams[name].forget()
        return tuple(sorted(done, key=_by_first))

    def open(self) -> tuple[Record, ...]:
        """Return records that may still continue, as they are so far, in the order of their first lines."""
        records = (_record(s.lines, s) for s in self._streams.values() if s.lines)
        return tuple(sorted(records, key=_by_first))

    def settle(self, before: float) -> tuple[Record, ...]:
        """Complete what had no line since `before` (s since the epoch), in the order of first lines.

        A record of the platform is complete in any case: nothing but a REPORT's XRAY line goes on with one.
        """
        done: list[Record] = []
        for stream in self._streams.values():
            if stream.lines and (stream.lines[-1].at < before or stream.lines[0].kind in _PLATFORM):
                _close(stream, done)
        return tuple(sorted(done, key=_by_first))

    def _stream(self, name: str, done: list[Record]) -> _Stream:
        stream = self._streams.pop(name, None)
        if stream is None:
            stream = _Stream()
            if len(self._streams) >= MOST_STREAMS:
                _close(self._streams.pop(next(iter(self._streams))), done)
        self._streams[name] = stream
        return stream

    def _take(self, stream: _Stream, line: LogLine, done: list[Record]) -> None:
        if stream.lines and position(line) < position(stream.lines[-1]):
            self._late(stream, line, done)
            return
        mode = _follows(stream, line) if stream.lines else None
        if mode is None:
            _close(stream, done)
            stream.lines, stream.mode = [line], _opens(line)
        else:
            stream.lines.append(line)
            stream.mode = mode

    def _late(self, stream: _Stream, line: LogLine, done: list[Record]) -> None:
        """Put a line older than the newest one into the open record if that spans its time."""
        lines = stream.lines
        before = position(line) < position(lines[0])
        alone = before and _follows(_Stream([line], _opens(line)), lines[0]) is None
        if alone or len(lines) > MOST_LATE:
            done.append(_record([line], stream))
            return
        insort(lines, line, key=position)
        stream.lines, stream.mode = [], ""
        for each in lines:
            self._take(stream, each, done)


def join(lines: Sequence[LogLine]) -> tuple[Record, ...]:
    """Return the records of these lines, in the order of their first lines, whatever order the lines came in.

    Raises:
        Nothing: any line is a record, at worst one of its own.
    """
    joiner = Joiner()
    done = joiner.feed(lines)
    return tuple(sorted((*done, *joiner.open()), key=_by_first))


def _by_first(record: Record) -> tuple[Position, str]:
    return (position(record.first), record.first.stream)


def _opens(line: LogLine) -> Mode:
    """Return the mode of a record that this line begins; platform lines and JSON hold no open trace."""
    return "" if line.kind in _PLATFORM or line.text.startswith("{") else begins(line.text)


def _follows(stream: _Stream, line: LogLine) -> Mode | None:
    last, first = stream.lines[-1], stream.lines[0]
    if line.at - last.at > GAP_S or len(stream.lines) >= MOST_LINES:
        return None
    if line.kind == "report" and line.report is None and first.kind == "report" and len(stream.lines) == 1:
        return ""  # XRAY on a line of its own
    if first.kind in _PLATFORM or line.kind in _PLATFORM:
        return None
    if line.text.startswith("{") and stream.mode != "source":
        return None
    text = line.text.split("\n", 1)[0].rstrip("\u240d")
    if stream.mode == "" and text[:1] != " ":
        # The runtime's own headline of an exception, then its traceback.
        titled = first.kind == "error" and text.startswith("Traceback (most recent")
        return "titled" if titled else None
    return goes_on(stream.mode, text, len(stream.lines))


def _close(stream: _Stream, done: list[Record]) -> None:
    if stream.lines:
        done.append(_record(stream.lines, stream))
        stream.lines, stream.mode = [], ""


def _record(lines: list[LogLine], stream: _Stream) -> Record:
    first = lines[0]
    request = stream.request(first)
    if len(lines) == 1:
        return Record(first, (), request, first.kind, first.level, first.signature)
    level = max((line.level for line in lines), key=lambda word: _RANK.get(word, 0))
    signature = next((line.signature for line in lines if line.signature), "")
    if first.kind in _PLATFORM:
        return Record(first, tuple(lines[1:]), request, first.kind, first.level, signature)
    if first.level and first.level not in ("error", "fatal"):
        # Who logs a trace as a warning or while debugging has handled it.
        signature = "" if first.level in ("debug", "trace") else signature
        return Record(first, tuple(lines[1:]), request, first.kind, first.level, signature)
    level = level if level in ("error", "fatal") else "error"
    return Record(first, tuple(lines[1:]), request, "error", level, signature)
