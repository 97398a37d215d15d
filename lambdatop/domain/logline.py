"""Log lines of Lambda: what a line is, and what a REPORT says. Pure; text is cleaned first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lambdatop.domain.text import clean

_HEAD = re.compile(
    r"^(?:(REPORT|START|END) RequestId: ([0-9a-fA-F-]{36}|\S+)"
    r"|(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b)"
)
# The longer key stands before the shorter one that it contains.
_KEYS = (
    "Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration|Memory Size|"
    "Max Memory Used|Status|Error Type|XRAY TraceId|SegmentId|Sampled|Phase"
)
_FIELD = re.compile(rf"({_KEYS}):\s*(.*?)(?=\t|\n|\s+(?:{_KEYS}):|\s*$)")
_TIMED_OUT = re.compile(r"Task timed out after (\d+(?:\.\d+)?) seconds")
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b")
_REQUEST_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_MAX_JSON = 65_536


@dataclass(frozen=True, slots=True)
class Report:
    """Numbers of one REPORT or platform.report line; None where the line is silent.

    Units: `*_ms` ms, `*_mb` MB.
    """

    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: float | None = None
    max_memory_mb: float | None = None
    init_ms: float | None = None
    status: str = ""
    error_type: str = ""


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


def parse(at: float, event_id: str, stream: str, message: str) -> LogLine:
    """One raw log event as a cleaned line (`seq` 0; the fold numbers it)."""
    text = clean(message.rstrip("\n"))
    if text.startswith("{") and len(text) <= _MAX_JSON:
        parsed = _json_line(text)
        if parsed is not None:
            kind, level, request_id, report = parsed
            return LogLine(0, at, event_id, stream, kind, level, text, request_id, report)
    kind, level, request_id, report = _text_line(text)
    return LogLine(0, at, event_id, stream, kind, level, text, request_id, report)


def _text_line(text: str) -> tuple[str, str, str, Report | None]:
    head = _HEAD.match(text)
    if head:
        if head.group(3):
            report = _report(text) if head.group(3).endswith("REPORT") else None
            return "init", "error" if report and report.status == "error" else "", "", report
        kind, request_id = head.group(1).lower(), head.group(2)
        report = _report(text) if kind == "report" else None
        level = "error" if report and report.status in ("error", "timeout") else ""
        return kind, level, request_id, report
    found = _REQUEST_ID.search(text, 0, 200)
    request_id = found.group() if found else ""
    if _TIMED_OUT.search(text):
        return "timeout", "error", request_id, None
    if text.startswith("[ERROR]") or "Error: Runtime exited" in text or text.startswith("Traceback "):
        return "error", "error", request_id, None
    word = _LEVEL.search(text, 0, 120)
    return "app", _word(word.group(1)) if word else "", request_id, None


def _report(text: str) -> Report:
    fields = {key: value.strip() for key, value in _FIELD.findall(text)}
    return Report(
        duration_ms=_number(fields.get("Duration")),
        billed_ms=_number(fields.get("Billed Duration")),
        memory_mb=_number(fields.get("Memory Size")),
        max_memory_mb=_number(fields.get("Max Memory Used")),
        init_ms=_number(fields.get("Init Duration")),
        status=fields.get("Status", ""),
        error_type=fields.get("Error Type", ""),
    )


def _number(text: str | None) -> float | None:
    try:
        return float((text or "").split(" ")[0])
    except ValueError:
        return None


def _word(level: str) -> str:
    return {"WARNING": "warn", "CRITICAL": "fatal"}.get(level.upper(), level.lower())


def _json_line(text: str) -> tuple[str, str, str, Report | None] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    record = data.get("record")
    if isinstance(data.get("type"), str) and isinstance(record, dict):
        return _platform_line(data["type"], record)
    level = data.get("level")
    request_id = data.get("requestId") or data.get("AWSRequestId") or ""
    word = _word(level) if isinstance(level, str) else ""
    kind = "error" if word in ("error", "fatal") else "app"
    return kind, word, request_id if isinstance(request_id, str) else "", None


def _platform_line(type_: str, record: dict[str, object]) -> tuple[str, str, str, Report | None]:
    request_id = record.get("requestId")
    rid = request_id if isinstance(request_id, str) else ""
    status = str(record.get("status") or "")
    level = "error" if status in ("error", "failure", "timeout") else ""
    if type_ == "platform.start":
        return "start", "", rid, None
    if type_ == "platform.report":
        raw = record.get("metrics")
        metrics = raw if isinstance(raw, dict) else {}
        report = Report(
            duration_ms=_float(metrics.get("durationMs")),
            billed_ms=_float(metrics.get("billedDurationMs")),
            memory_mb=_float(metrics.get("memorySizeMB")),
            max_memory_mb=_float(metrics.get("maxMemoryUsedMB")),
            init_ms=_float(metrics.get("initDurationMs")),
            status=status,
            error_type=str(record.get("errorType") or ""),
        )
        return "report", level, rid, report
    if type_.startswith(("platform.init", "platform.restore")):
        return "init", level, rid, None
    return "end" if type_ == "platform.runtimeDone" else "app", level, rid, None


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
