"""Make one row per request id: duration, attempts, result. Pure."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from lambdatop.domain.log_analysis.fingerprints import is_error
from lambdatop.domain.loglines.headline import headline
from lambdatop.domain.loglines.line import PREFIX, LogLine, Report
from lambdatop.domain.loglines.records import MOST_STREAMS, Position, Record, position
from lambdatop.domain.loglines.uncaught import PHRASES, from_dotnet, uncaught

Status = Literal["success", "error", "timeout", "running"]
"""What became of the newest attempt; "running" without any line that ends it."""

FAILED = ("error", "timeout")
"""Statuses that somebody has to look at."""
MOST_TURNS = 64
"""STARTs, ENDs and REPORTs of one request that are kept apart; older ones are only counted."""

_ERROR_CHARS = 400
_RANK = {"timeout": 3, "error": 2}
_CRASHES = ("RequestId: ", "[ERROR] ", "Traceback ", "panic: ", "fatal error: ", "Unknown application error")
_CRASH_WORDS = (*PHRASES, '"stackTrace"')
_CONSEQUENCES = ("", "exit")
"""Signatures that do not say why: a process exits after the error that is written above."""
_TURNS = ("start", "end", "report")


class Request(Struct, frozen=True):
    """All that the log says about one request id.

    Lambda's own retries of an asynchronous event keep the id, so `attempts` above 1 means retries.
    Durations and memory are those of the newest REPORT; None where none says it.

    Attributes:
        request_id: the id.
        status: what became of the newest attempt.
        attempts: STARTs of this id, at least 1.
        duration_ms: ms of the newest attempt.
        billed_ms: billed ms of the newest attempt.
        init_ms: ms of initialisation; None for a warm start.
        memory_mb: configured memory in MB.
        max_memory_mb: used memory in MB.
        error_type: what the platform names as the type of the error.
        error: the line that says what went wrong, "" for none; also an error that was handled.
        signature: the known failure (see `known_failures.py`).
        stream: the stream (environment) of the newest attempt.
        first_at: stamp of the first line, s since the epoch.
        last_at: stamp of the last line, s since the epoch.
        records: how many records carry the id.
        trace_id: id of X-Ray of the newest REPORT that has one, "" for none.
        tenant: id of the tenant, "" where no line says it.
    """

    request_id: str
    status: Status
    attempts: int
    duration_ms: float | None
    billed_ms: float | None
    init_ms: float | None
    memory_mb: float | None
    max_memory_mb: float | None
    error_type: str
    error: str
    signature: str
    stream: str
    first_at: float
    last_at: float
    records: int
    trace_id: str = ""
    tenant: str = ""


_Place = tuple[Position, str]


def _place(record: Record) -> _Place:
    return (position(record.first), record.stream)


@dataclass(slots=True)
class _Seen:
    """What matters of the records of one request id; other lines of the application are only counted.

    `kept` are its STARTs, ENDs, REPORTs and errors in order; of errors of one sort in one attempt the first
    one, which is the one that is shown. `names` are the events that were counted, as one may come twice.
    `init_error` was written in its environment before its START: the initialisation failed.
    """

    first: _Place
    last: _Place
    stream: str
    first_at: float
    last_at: float
    records: int = 0
    starts: int = 0
    reports: int = 0
    kept: list[Record] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    sorts: set[tuple[int, bool, bool]] = field(default_factory=set)
    init_error: Record | None = None

    def take(self, place: _Place, record: Record) -> None:
        self.records += 1
        at, last_at = record.first.at, (record.rest[-1] if record.rest else record.first).at
        if at < self.first_at:
            self.first_at = at
        if last_at > self.last_at:
            self.last_at = last_at
        newest = place >= self.last
        if newest:
            self.last, self.stream = place, record.first.stream
        elif place < self.first:
            self.first = place
        if record.kind in _TURNS:
            self._count(record)
            self._keep(record, newest)
        elif is_error(record):
            sort = (*_weight(record), crashed(record.first))
            if sort not in self.sorts:
                self.sorts.add(sort)
                self._keep(record, newest)

    def _keep(self, record: Record, newest: bool) -> None:
        if newest:
            self.kept.append(record)
        else:
            insort(self.kept, record, key=_place)
        if len(self.kept) > 2 * MOST_TURNS:
            del self.kept[:MOST_TURNS]

    def _count(self, record: Record) -> None:
        line = record.first
        if line.kind == "start":
            self.sorts.clear()
        name = f"{line.kind} {line.event_id or line.seq}"
        if name in self.names:
            return
        self.names[name] = None
        if len(self.names) > MOST_TURNS:
            del self.names[next(iter(self.names))]
        if line.kind == "start":
            self.starts += 1
        elif line.kind == "report" and line.report is not None:
            self.reports += 1

    def newest_attempt(self) -> list[Record]:
        """Return the records since the newest START in its stream; all of them without one."""
        last = next((r for r in reversed(self.kept) if r.kind == "start"), None)
        if last is None:
            return self.kept
        since = position(last.first)
        return [r for r in self.kept if r.stream == last.stream and position(r.first) >= since]


class RequestBook:
    """Requests as their records come, in any pieces; at most `most`, the longest unchanged go first."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._seen: dict[str, _Seen] = {}
        self._made: dict[str, Request] = {}
        self._before: dict[str, Record] = {}

    def take(self, records: Iterable[Record]) -> None:
        """Add records; within one call their order does not matter."""
        touched: dict[str, None] = {}
        placed = [(_place(r), n, r) for n, r in enumerate(records) if r.request_id or _is_before(r)]
        for place, _, record in sorted(placed):
            id_ = record.request_id
            if not id_:
                self._before.pop(record.stream, None)
                self._before[record.stream] = record
                if len(self._before) > MOST_STREAMS:
                    del self._before[next(iter(self._before))]
                continue
            seen = self._seen.get(id_)
            if seen is None:
                first = record.first
                seen = self._seen[id_] = _Seen(place, place, first.stream, first.at, first.at)
            seen.take(place, record)
            if record.kind == "start":
                seen.init_error = self._before.pop(record.stream, None)
            touched[id_] = None
        if self._most is None:
            self._make(touched)
            return
        for id_ in touched:
            self._seen[id_] = self._seen.pop(id_)
        while len(self._seen) > self._most:
            oldest = next(iter(self._seen))
            del self._seen[oldest]
            self._made.pop(oldest, None)
        self._make(id_ for id_ in touched if id_ in self._seen)

    def _make(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._made[id_] = _request(id_, self._seen[id_])

    def found(self) -> tuple[Request, ...]:
        """Return all requests, in the order of their first lines."""
        return tuple(self._made[id_] for id_ in sorted(self._made, key=lambda id_: self._seen[id_].first))

    def __len__(self) -> int:
        return len(self._made)


def requests(records: Sequence[Record]) -> tuple[Request, ...]:
    """Return the requests in these records, in the order of their first lines."""
    book = RequestBook()
    book.take(records)
    return book.found()


def _request(request_id: str, seen: _Seen) -> Request:
    newest = seen.newest_attempt()
    report = _report_of(newest)
    numbers = report or _report_of(seen.kept) or Report()
    worst = _worst(newest) or _worst(seen.kept)
    if seen.init_error is not None and worst is not None and worst.first.report is not None:
        worst = seen.init_error
    starts = any(r.kind == "start" for r in newest)
    return Request(
        request_id=request_id,
        status=_status(newest, report),
        attempts=max(seen.starts, seen.reports, 1),
        duration_ms=numbers.duration_ms,
        billed_ms=numbers.billed_ms,
        init_ms=numbers.init_ms,
        memory_mb=numbers.memory_mb,
        max_memory_mb=numbers.max_memory_mb,
        error_type=numbers.error_type,
        error=headline(worst)[:_ERROR_CHARS] if worst else "",
        signature=worst.signature if worst else "",
        stream=newest[-1].stream if starts else seen.stream,
        first_at=seen.first_at,
        last_at=seen.last_at,
        records=seen.records,
        trace_id=next((id_ for r in reversed(seen.kept) if (id_ := _trace_of(r))), ""),
        tenant=next((r.first.tenant for r in seen.kept if r.first.tenant), ""),
    )


def _trace_of(record: Record) -> str:
    """Return the id of X-Ray of a REPORT, which may stand on a line of its own."""
    if record.kind != "report":
        return ""
    return next((line.trace_id for line in record.lines if line.trace_id), "")


def _report_of(records: list[Record]) -> Report | None:
    """Return the newest REPORT's numbers."""
    return next((r.first.report for r in reversed(records) if r.kind == "report" and r.first.report), None)


def _status(records: list[Record], report: Report | None) -> Status:
    """Return the status: the platform's own where present (since 2024), else by the shape of the error."""
    if report is not None and report.status:
        return _word(report.status)
    if any(r.kind == "timeout" or r.signature == "timeout" for r in records):
        return "timeout"
    if any(crashed(r.first) for r in records):
        return "error"
    ended = report is not None or any(r.kind == "end" for r in records)
    return "success" if ended else "running"


def _word(status: str) -> Status:
    if status == "timeout":
        return "timeout"
    return "success" if status == "success" else "error"


def crashed(line: LogLine) -> bool:
    """Return whether an error left the handler: the form that runtimes write, not a logger."""
    if line.kind == "end" and line.level == "error":
        return True
    if line.kind != "error":
        return False
    text = line.text[:2048]
    if text.startswith("[ERROR] "):
        # The runtime's line goes on with the exception, a logger's with a stamp.
        return not text[8:].lstrip()[:4].isdigit()
    if text.startswith(_CRASHES) or any(words in text for words in _CRASH_WORDS):
        return True
    if uncaught(text) is not None:
        return True
    # .NET's level: Node writes an error that was handled in the same form, at its own level.
    prefix = PREFIX.match(text)
    return prefix is not None and prefix["c"] == "fail" and from_dotnet(text[prefix.end() :]) is not None


def _is_before(record: Record) -> bool:
    """Return whether it is an error that was written while no request was served."""
    return record.first.report is None and is_error(record)


def _weight(record: Record) -> tuple[int, bool]:
    return _RANK.get(record.kind, 0), record.signature not in _CONSEQUENCES


def _worst(records: list[Record]) -> Record | None:
    """Return the record that explains the failure: a written line before the numbers of a REPORT."""
    return max((r for r in records if is_error(r)), key=_explains, default=None)


def _explains(record: Record) -> tuple[int, bool, bool]:
    """Return how well a record explains a failure: one that left the handler before one that was logged."""
    rank, says_why = _weight(record)
    return rank, record.signature != "exit" and crashed(record.first), says_why
