"""Log lines of Lambda: what a line is, and what a REPORT says. Pure; text is cleaned first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from lambdatop.domain.signatures import TIMED_OUT, classify
from lambdatop.domain.text import clean

_HEAD = re.compile(
    r"^(?:(REPORT|START|END) RequestId: ([0-9a-fA-F-]{36}|\S+)"
    r"|(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b)"
)
# The longer key stands before the shorter one that it contains.
_KEYS = re.compile(
    r"(?<!\S)(Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration|"
    r"Memory Size|Max Memory Used|Status|Error Type|XRAY TraceId|SegmentId|Sampled|Phase):"
)
_TIMED_OUT = re.compile(TIMED_OUT)
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b")
_LEVELS = {"WARNING": "warn", "CRITICAL": "fatal"}
_LEVEL_STEMS = ("INFO", "ERROR", "WARN", "DEBUG", "TRACE", "FATAL", "CRITICAL")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_UUID_MIDDLE = re.compile(r"-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-")
_ID_WITHIN = 200
_MAX_JSON = 65_536
_BAD = ("error", "failure", "timeout")
_JSON_IDS = ("requestId", "AWSRequestId", "awsRequestId", "function_request_id", "aws_request_id")
_JSON_ERRORS = ("errorType", "errorMessage", "stackTrace")


@dataclass(frozen=True, slots=True)
class Report:
    """Numbers of one REPORT or platform.report line; None where the line is silent.

    INIT_REPORT, RESTORE_REPORT and their JSON shapes fill `init_ms` or `restore_ms`, status and error
    type. Units: `*_ms` ms, `*_mb` MB.
    """

    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: float | None = None
    max_memory_mb: float | None = None
    init_ms: float | None = None
    status: str = ""
    error_type: str = ""
    restore_ms: float | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One cleaned log event.

    `seq` counts up within one function's tail; `at` is the event's timestamp in s since the epoch.
    `kind` is start, end, report, init, error, timeout or app; `level` is a lower-case word or "".
    `signature` is the known failure that the line shows (see `signatures.py`), "" for none.
    """

    seq: int
    at: float
    event_id: str
    stream: str
    kind: str
    level: str
    text: str
    request_id: str = ""
    report: Report | None = None
    signature: str = ""


class _Read(NamedTuple):
    """What the text of a line says, as LogLine names it."""

    kind: str
    level: str
    request_id: str = ""
    report: Report | None = None
    signature: str = ""


def parse(at: float, event_id: str, stream: str, message: str) -> LogLine:
    """One raw log event as a cleaned line (`seq` 0; the fold numbers it)."""
    text = clean(message.rstrip("\n"))
    read = _json_line(text) if text.startswith("{") and len(text) <= _MAX_JSON else None
    kind, level, request_id, report, signature = read or _text_line(text)
    return LogLine(0, at, event_id, stream, kind, level, text, request_id, report, signature)


def _text_line(text: str) -> _Read:
    head = _HEAD.match(text)
    if head:
        return _platform_text(text, head)
    request_id = _request_id(text)
    if "Task timed out" in text and _TIMED_OUT.match(text):
        return _Read("timeout", "error", request_id, None, "timeout")
    if text.startswith(("[ERROR]", "Traceback ")) or "Error: Runtime exited" in text:
        return _Read("error", "error", request_id, None, classify(text))
    level = _level(text)
    return _Read("app", level, request_id, None, _failure(text, level))


def _platform_text(text: str, head: re.Match[str]) -> _Read:
    word, request_id, init = head.groups()
    if init:
        report = _report(text) if init.endswith("REPORT") else None
        return _Read("init", _report_level(report), "", report, classify(text, report) if report else "")
    if word != "REPORT":
        return _Read(word.lower(), "", request_id)
    report = _report(text)
    return _Read("report", _report_level(report), request_id, report, classify(text, report))


def _report_level(report: Report | None) -> str:
    return "error" if report and report.status in _BAD else ""


def _failure(text: str, level: str) -> str:
    """The signature of an application's line; whoever debugs prints everything, failed or not."""
    return "" if level in ("debug", "trace") else classify(text)


def _request_id(text: str) -> str:
    """The first UUID near the beginning; its middle is looked for first, which is much cheaper."""
    if _UUID_MIDDLE.search(text, 0, _ID_WITHIN) is None:
        return ""
    found = _UUID.search(text, 0, _ID_WITHIN)
    return found.group() if found else ""


def _level(text: str) -> str:
    head = text[:120]
    first = min([at for stem in _LEVEL_STEMS if (at := head.find(stem)) >= 0], default=-1)
    word = _LEVEL.search(head, first) if first >= 0 else None
    return _word(word.group(1)) if word else ""


def _report(text: str) -> Report:
    """The fields of a REPORT by their keys, in whatever order and separated by whatever space.

    A value ends with its line or where the next key begins.
    """
    parts = _KEYS.split(text)
    fields = {
        key: value.strip().split("\n", 1)[0] for key, value in zip(parts[1::2], parts[2::2], strict=True)
    }
    return Report(
        duration_ms=_number(fields.get("Duration")),
        billed_ms=_number(fields.get("Billed Duration")),
        memory_mb=_number(fields.get("Memory Size")),
        max_memory_mb=_number(fields.get("Max Memory Used")),
        init_ms=_number(fields.get("Init Duration")),
        status=fields.get("Status", ""),
        error_type=fields.get("Error Type", ""),
        restore_ms=_number(fields.get("Restore Duration")),
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text.split(" ", 1)[0]) if text else None
    except ValueError:
        return None


def _word(level: str) -> str:
    return _LEVELS.get(level.upper(), level.lower())


def _json_line(text: str) -> _Read | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    record = data.get("record")
    if isinstance(data.get("type"), str) and isinstance(record, dict):
        return _platform_json(text, data["type"], record)
    level = data.get("level")
    word = _word(level) if isinstance(level, str) else ""
    if not word and _tells_error(data):
        # An uncaught exception may come without a level; one that was handled carries its own.
        word = "error"
    kind = "error" if word in ("error", "fatal") else "app"
    return _Read(kind, word, _json_id(data), None, _failure(text, word))


def _tells_error(data: dict[str, object]) -> bool:
    return any(name in data for name in _JSON_ERRORS)


def _json_id(data: dict[str, object]) -> str:
    found = (data[name] for name in _JSON_IDS if name in data)
    return next((id_ for id_ in found if isinstance(id_, str)), "")


def _platform_json(text: str, type_: str, record: dict[str, object]) -> _Read:
    request_id = record.get("requestId")
    rid = request_id if isinstance(request_id, str) else ""
    if type_ == "platform.start":
        return _Read("start", "", rid)
    if type_ == "platform.logsDropped":
        return _Read("app", "warn", rid, None, "logs_dropped")
    report = _json_report(type_, record)
    level, signature = _report_level(report), classify(text, report)
    if type_ == "platform.report":
        return _Read("report", level, rid, report, signature)
    if type_.startswith(("platform.init", "platform.restore")):
        return _Read("init", level, rid, report if type_.endswith("Report") else None, signature)
    return _Read("end" if type_ == "platform.runtimeDone" else "app", level, rid, None, signature)


def _json_report(type_: str, record: dict[str, object]) -> Report:
    raw = record.get("metrics")
    metrics = raw if isinstance(raw, dict) else {}
    status, error_type = str(record.get("status") or ""), str(record.get("errorType") or "")
    lasted = _float(metrics.get("durationMs"))
    if type_.startswith("platform.init"):
        return Report(init_ms=lasted, status=status, error_type=error_type)
    if type_.startswith("platform.restore"):
        return Report(restore_ms=lasted, status=status, error_type=error_type)
    return Report(
        duration_ms=lasted,
        billed_ms=_float(metrics.get("billedDurationMs")),
        memory_mb=_float(metrics.get("memorySizeMB")),
        max_memory_mb=_float(metrics.get("maxMemoryUsedMB")),
        init_ms=_float(metrics.get("initDurationMs")),
        status=status,
        error_type=error_type,
        restore_ms=_float(metrics.get("restoreDurationMs")),
    )


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
