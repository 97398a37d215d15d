r"""Parse log lines in JSON: the platform's events and what applications write. Pure.

Strings that come out of JSON are cleaned again: `\u001b` is harmless text until it is decoded.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from lambdatop.domain.loglines.known_failures import classify, extension_failure, of_level
from lambdatop.domain.loglines.tokens import (
    Read,
    Report,
    level_word,
    megabytes,
    millis,
    report_level,
    trace_of_header,
)
from lambdatop.domain.sanitize import clean_name

MAX_JSON = 65_536
"""Longer lines are not decoded, in characters."""
_DECODER = json.JSONDecoder(strict=False)
_IDS = (
    "awsrequestid",
    "functionrequestid",
    "lambdarequestid",
    "requestid",
    "faasexecution",
    "faasinvocationid",
)
"""How loggers call the request id, the surest name first; case, `_`, `-` and `.` do not matter."""
_LEVELS = ("level", "loglevel", "levelname", "severity", "lvl", "@l", "severitytext", "loglevelname")
_SYSLOG = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")
"""Severities 0 to 7 of RFC 5424, which GELF takes (docs.graylog.org, "GELF payload specification")."""
_NESTED = (
    "record",
    "lambda",
    "lambdacontext",
    "context",
    "contextmap",
    "mdc",
    "fields",
    "span",
    "spans",
    "properties",
    "extra",
    "meta",
)
"""Objects in which loggers keep the request id, and some the level; Rust's `spans` are a list."""
_MOST_SPANS = 8
_TENANT = "tenantId"
_ERRORS = ("errorType", "errorMessage", "stackTrace")
_EVENTS = ("Records", "requestContext", "detail-type", "detail")
"""What an event holds that a handler prints: its words are those of whoever sent it."""
_BROKEN_LEVEL = re.compile(r'"(?:level|log_level|severity|levelname)":\s?"([A-Za-z]{3,11})"')
_BROKEN_ID = re.compile(
    r'"(?:requestId|AWSRequestId|awsRequestId|function_request_id|aws_request_id)":\s?"([\w-]{1,64})"'
)
_REQUEST = re.compile(r"^RequestId: ([\w-]{1,64}) ")
_HEAD = 2048


def read_json(message: str, text: str) -> Read | None:
    """Return what a line that begins like a JSON object holds; None when it is plain text.

    Args:
        message: the line as it came, because a long one is cut where it is cleaned.
        text: the cleaned line, which is what signatures are looked for in.
    """
    if len(message) > MAX_JSON:
        return _broken(text)
    try:
        data = _DECODER.decode(message)
    except (ValueError, RecursionError):
        return _broken(text)
    if not isinstance(data, dict):
        return None
    type_, record = data.get("type"), data.get("record")
    if isinstance(type_, str) and type_.startswith("platform."):
        if isinstance(record, dict):
            return _platform(text, type_, record)._replace(tenant=_tenant(record))
        return _platform_words(text, type_, record if isinstance(record, str) else "")
    read = _application(text, data)
    return read._replace(tenant=_tenant(data)) if _TENANT in data else read


def _tenant(record: dict[str, object]) -> str:
    """Return the id of the tenant, which whoever invoked the function has chosen."""
    return _word(record.get(_TENANT))


def _application(text: str, data: dict[str, object]) -> Read:
    named = _by_name(data)
    if isinstance(aws := data.get("_aws"), dict):
        # The embedded metric format: by what its metrics are sorted is no error of this line.
        sorted_by = _dimensions(aws)
        named = {name: value for name, value in named.items() if name not in sorted_by}
        return _read(text, _level(named), _id(named))
    inner = [_by_name(value) for name in _NESTED for value in _objects(named.get(name))]
    word = _level(named) or next((w for d in inner if (w := _level(d))), "")
    request_id = _id(named) or next((i for d in inner if (i := _id(d))), "")
    if not word and (any(data.get(name) for name in _ERRORS) or data.get("exception")):
        # An uncaught exception may come without a level; one that was handled carries its own.
        word = "error"
    if not word and "@t" in data:
        word = "info"  # Serilog's compact form leaves this level out
    if not word and any(name in data for name in _EVENTS):
        return Read("app", "", request_id)
    return _read(text, word, request_id)


def _read(text: str, word: str, request_id: str) -> Read:
    kind = "error" if word in ("error", "fatal") else "app"
    return Read(kind, word, request_id, None, of_level(text, word))


def _dimensions(aws: dict[str, object]) -> set[str]:
    """Return the names of the dimensions in a line in the embedded metric format, as `_by_name` has them.

    Source: CloudWatch user guide, "Specification: Embedded metric format".
    """
    found: set[str] = set()
    for directive in _objects(aws.get("CloudWatchMetrics")):
        sets = directive.get("Dimensions")
        for names in sets[:_MOST_SPANS] if isinstance(sets, list) else ():
            if isinstance(names, list):
                found.update(_plain_name(name) for name in names if isinstance(name, str))
    return found


def _objects(value: object) -> list[dict[str, object]]:
    if isinstance(value, list):
        return [each for each in value[:_MOST_SPANS] if isinstance(each, dict)]
    return [value] if isinstance(value, dict) else []


def _broken(text: str) -> Read | None:
    """Return what the head of a truncated JSON line holds (Lambda cuts at 256 KB, some loggers earlier)."""
    level, request_id = _BROKEN_LEVEL.search(text, 0, _HEAD), _BROKEN_ID.search(text, 0, _HEAD)
    if level is None and request_id is None:
        return None
    word = level_word(level.group(1)) if level else ""
    kind = "error" if word in ("error", "fatal") else "app"
    return Read(kind, word, request_id.group(1) if request_id else "", None, of_level(text, word))


def written_level(text: str) -> str:
    """Return the level in JSON that stands behind a runtime's own prefix; "" where it holds none."""
    try:
        data, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return ""
    return _level(_by_name(data)) if isinstance(data, dict) else ""


@lru_cache(maxsize=4096)
def _plain_name(name: str) -> str:
    return name[:64].lower().replace("_", "").replace("-", "").replace(".", "")


def _by_name(data: dict[str, object]) -> dict[str, object]:
    return {_plain_name(name): value for name, value in data.items()}


def _level(named: dict[str, object]) -> str:
    found = next((named[name] for name in _LEVELS if name in named), None)
    if isinstance(found, dict):
        return level_word(found.get("name"))  # loguru
    if isinstance(found, int) and "shortmessage" in named:
        return _SYSLOG[found] if 0 <= found < len(_SYSLOG) else ""
    if found is None and "l" in named and "m" in named and "t" in named:
        return level_word(named["l"])  # zap's development JSON, and whoever is as brief
    return level_word(found)


def _id(named: dict[str, object]) -> str:
    found = (value for name in _IDS if isinstance(value := named.get(name), str))
    return clean_name(next(found, ""))


def _platform_words(text: str, type_: str, words: str) -> Read:
    """Return an event whose record is text (platform.fault) or missing (platform.restoreStart)."""
    found = _REQUEST.match(words)
    request_id = found.group(1) if found else ""
    if type_ == "platform.fault":
        return Read("error", "error", request_id, None, classify(text))
    init = type_.startswith(("platform.init", "platform.restore"))
    return Read("init" if init else "app", "", request_id)


def _platform(text: str, type_: str, record: dict[str, object]) -> Read:
    rid = _id(_by_name(record))
    if type_ == "platform.start":
        return Read("start", "", rid)
    if type_ == "platform.logsDropped":
        return Read("app", "warn", rid, None, "logs_dropped")
    if type_ == "platform.extension" and (failed := extension_failure(_word(record.get("state")))):
        return Read("error", "error", rid, None, failed)
    report = _report(type_, record)
    level, signature = report_level(report), classify(text, report)
    if type_ == "platform.report":
        return Read("report", level, rid, report, signature)
    if type_.startswith(("platform.init", "platform.restore")):
        return Read("init", level, rid, report if type_.endswith("Report") else None, signature)
    ends = type_ in ("platform.runtimeDone", "platform.end")
    return Read("end" if ends else "app", level, rid, None, signature)


def _report(type_: str, record: dict[str, object]) -> Report:
    raw = record.get("metrics")
    metrics = raw if isinstance(raw, dict) else {}
    status, error_type = _word(record.get("status")), _word(record.get("errorType"))
    lasted, tracing = millis(metrics.get("durationMs")), record.get("tracing")
    if type_.startswith("platform.init"):
        return Report(init_ms=lasted, status=status, error_type=error_type)
    if type_.startswith("platform.restore"):
        return Report(restore_ms=lasted, status=status, error_type=error_type)
    return Report(
        duration_ms=lasted,
        billed_ms=millis(metrics.get("billedDurationMs")),
        memory_mb=megabytes(metrics.get("memorySizeMB")),
        max_memory_mb=megabytes(metrics.get("maxMemoryUsedMB")),
        init_ms=millis(metrics.get("initDurationMs")),
        status=status,
        error_type=error_type,
        restore_ms=millis(metrics.get("restoreDurationMs")),
        trace_id=trace_of_header(tracing.get("value") if isinstance(tracing, dict) else None),
    )


def _word(value: object) -> str:
    return clean_name(value) if isinstance(value, str) else ""
