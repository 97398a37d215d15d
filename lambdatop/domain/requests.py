"""One row per request id: how long, how often, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lambdatop.domain.fingerprints import is_error
from lambdatop.domain.headlines import headline
from lambdatop.domain.logline import LogLine, Report
from lambdatop.domain.records import Record, position

Status = Literal["success", "error", "timeout", "running"]
"""What became of the newest attempt; "running" without any line that ends it."""

_ERROR_CHARS = 400
_RANK = {"timeout": 3, "error": 2}
_CRASHES = ("RequestId: ", "[ERROR] ", "Traceback ", "panic: ", "fatal error: ", "Unknown application error")
_CRASH_WORDS = ("Invoke Error", "Uncaught Exception", "Unhandled Promise Rejection", '"stackTrace"')


@dataclass(frozen=True, slots=True)
class Request:
    """All that the log says about one request id.

    Lambda's own retries of an asynchronous event keep the id, so `attempts` above 1 means retries.
    Durations and memory are those of the newest REPORT; None where none says it.

    Attributes:
        request_id: the id.
        status: what became of the newest attempt.
        attempts: STARTs of this id, at least 1.
        duration_ms: ms of the newest attempt.
        billed_ms: billed ms of the newest attempt.
        billed_total_ms: billed ms of all attempts that have a REPORT.
        init_ms: ms of initialisation; None for a warm start.
        memory_mb: configured memory in MB.
        max_memory_mb: used memory in MB.
        error_type: what the platform names as the type of the error.
        error: the line that says what went wrong, "" for none; also an error that was handled.
        signature: the known failure (see `signatures.py`).
        stream: the stream (environment) of the newest attempt.
        first_at: stamp of the first line, s since the epoch.
        last_at: stamp of the last line, s since the epoch.
        records: how many records carry the id.
    """

    request_id: str
    status: Status
    attempts: int
    duration_ms: float | None
    billed_ms: float | None
    billed_total_ms: float
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


@dataclass(slots=True)
class _Seen:
    """The records of one request id, in order, and what is counted only once of repeated events."""

    records: list[Record] = field(default_factory=list)
    starts: dict[str, LogLine] = field(default_factory=dict)
    reports: dict[str, LogLine] = field(default_factory=dict)


def requests(records: Sequence[Record]) -> tuple[Request, ...]:
    """The requests that these records tell of, in the order of their first lines."""
    seen: dict[str, _Seen] = {}
    for record in sorted(records, key=lambda r: (position(r.first), r.stream)):
        if not record.request_id:
            continue
        one = seen.setdefault(record.request_id, _Seen())
        one.records.append(record)
        line = record.first
        name = line.event_id or f"#{line.seq}"
        if line.kind == "start":
            one.starts[name] = line
        elif line.kind == "report" and line.report is not None:
            one.reports[name] = line
    return tuple(_request(id_, one) for id_, one in seen.items())


def _request(request_id: str, seen: _Seen) -> Request:
    starts, reports = list(seen.starts.values()), list(seen.reports.values())
    newest = _newest_attempt(seen.records, starts)
    report = next(
        (r.first.report for r in reversed(newest) if r.first.kind == "report" and r.first.report), None
    )
    numbers = report or (reports[-1].report if reports else None) or Report()
    worst = _worst(newest) or _worst(seen.records)
    return Request(
        request_id=request_id,
        status=_status(newest, report),
        attempts=max(len(starts), len(reports), 1),
        duration_ms=numbers.duration_ms,
        billed_ms=numbers.billed_ms,
        billed_total_ms=sum(r.report.billed_ms or 0.0 for r in reports if r.report),
        init_ms=numbers.init_ms,
        memory_mb=numbers.memory_mb,
        max_memory_mb=numbers.max_memory_mb,
        error_type=numbers.error_type,
        error=headline(worst)[:_ERROR_CHARS] if worst else "",
        signature=worst.signature if worst else "",
        stream=newest[-1].stream,
        first_at=seen.records[0].at,
        last_at=max(r.lines[-1].at for r in seen.records),
        records=len(seen.records),
    )


def _newest_attempt(records: list[Record], starts: list[LogLine]) -> list[Record]:
    """The records since the newest START, in its stream; all of them without one."""
    if not starts:
        return records
    last = starts[-1]
    return [r for r in records if r.stream == last.stream and position(r.first) >= position(last)]


def _status(records: list[Record], report: Report | None) -> Status:
    """The platform's own word first; lines before 2024 carry none, there the error's own shape decides."""
    if report is not None and report.status:
        return _word(report.status)
    if any(r.kind == "timeout" or r.signature == "timeout" for r in records):
        return "timeout"
    if any(_crashed(r) for r in records):
        return "error"
    ended = report is not None or any(r.kind == "end" for r in records)
    return "success" if ended else "running"


def _word(status: str) -> Status:
    if status == "timeout":
        return "timeout"
    return "success" if status == "success" else "error"


def _crashed(record: Record) -> bool:
    """Whether an error left the handler: what the runtimes write then, not what a logger wrote."""
    if record.kind == "end" and record.level == "error":
        return True
    if record.kind != "error":
        return False
    text = record.first.text[:2048]
    if text.startswith("[ERROR] "):
        # The runtime's line goes on with the exception, a logger's with a stamp.
        return not text[8:].lstrip()[:4].isdigit()
    return text.startswith(_CRASHES) or any(words in text for words in _CRASH_WORDS)


def _worst(records: list[Record]) -> Record | None:
    """The record that explains the failure: what was written beats the numbers of a REPORT."""
    errors = [r for r in records if is_error(r)]
    return max(errors, key=lambda r: (_RANK.get(r.kind, 0), bool(r.signature)), default=None)
