"""Parse log lines of Lambda, REPORT lines included. Pure; text is cleaned first."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from lambdatop.domain.loglines.json_line import read_json, written_level
from lambdatop.domain.loglines.known_failures import STAMP, TIMED_OUT, classify, extension_failure, of_level
from lambdatop.domain.loglines.levels import level_in
from lambdatop.domain.loglines.tokens import (
    Read,
    Report,
    level_word,
    megabytes,
    millis,
    report_level,
    shared,
    trace_id,
)
from lambdatop.domain.loglines.uncaught import PHRASES, uncaught
from lambdatop.domain.sanitize import clean, without_colours

__all__ = ["LogLine", "Report", "parse"]

_HEAD = re.compile(
    r"(?:(REPORT|START|END) RequestId: ([0-9a-fA-F-]{36}|[^\s\u240d]{1,128})"
    r"|(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b)"
)
_HEADS = ("R", "S", "E", "I")
_XRAY = "XRAY TraceId:"
# The longer key stands before the shorter one that it contains.
_KEYS = re.compile(
    r"(?<!\S)(Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration|"
    r"Memory Size|Max Memory Used|Status|Error Type|XRAY TraceId|SegmentId|Sampled|Phase):"
)
_LOGGER = re.compile(
    r"\[(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)(?=[\] ])"
    r"|\[(trace|debug|info|warn(?:ing)?|error|fatal|critical)(?=\])"
    r"|(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)(?=:| [-|\[(]|  | [\w.$]{1,100} - )"
    r"|(?:time=\S{1,40} )?level=\"?([A-Za-z]{3,11})\b"
    r"|\(node:\d{1,7}\) (?:\[\w{1,20}\] )?(?!UnhandledPromiseRejection)(?:\w{0,60}Warning|NOTE): "
)
"""The level that a logger writes at the beginning of its message, behind the prefix of the runtime.

Only in the forms of loggers: a message may begin with such a word, too ("ERROR topic is ready").
"""

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WORD = (
    r"TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE"
    r"|trce|dbug|info|warn|fail|crit|trace|debug|error|fatal|ANY"
)
PREFIX = re.compile(
    rf"(?:[DIWEFA], )?(?:\[?(?P<a>{_WORD})\]?:?\s+)?"
    rf"(?:{STAMP}(?: #\d{{1,10}}\]| \([+-]\d\d:\d\d\))?\s+)?(?:\[?(?P<b>{_WORD})\]?:?\s+)?"
    rf"[<\[(]?(?P<id>{_UUID}|undefined\b)[>\])]?:?(?:\s+--(?:\s[\w.-]{{0,60}}:)?\s*|\s+)"
    rf"(?(a)|(?(b)|(?:\[?(?P<c>{_WORD})\]?(?::?\s+|$))?))"
)
"""What the runtimes and their loggers put before a message, up to the request id and the level after it.

Python: `[LEVEL] stamp id`, Node: `stamp id LEVEL`, .NET: `stamp id level`, log4j2 for Lambda: `stamp id
LEVEL`, Ruby: `E, [stamp #8] ERROR id -- :`. Where the level stands before the id, the first word after it is
the message's. A UUID further on is the application's.
"""
_STAMPED = re.compile(rf"{STAMP}\s+(?:(?:{_WORD})\s+)?", re.IGNORECASE)
"""What stands before a message without a request: Go's stamp, .NET's stamp and level while it starts."""
_REQUEST = re.compile(
    rf"\b(?:[Rr]equest_?I[dD]|[Aa]ws_?[Rr]equest_?[Ii]d|request_id)(?:[:=]\s?|\s)[\"']?({_UUID})"
)
_MIDDLE = re.compile(r"-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-")
"""The middle of a UUID, which is looked for first because it is much cheaper."""
_ID_WITHIN = 256

_THROWN = re.compile(
    r"(?:Exception in thread \S{1,80} |Exception: |Unhandled exception\. |Uncaught |Unhandled |\{ "
    r"|\(node:\d{1,7}\) UnhandledPromiseRejectionWarning: )?"
    r"(?:(?:[A-Za-z_$][\w$]{0,80}(?:\.|::|/))*+"
    r"(?:[A-Za-z_$][\w$]{0,80}?)?(?:Exception|Error)\d{0,2}\b|(?:Runtime|Extension|Function)\.[A-Z]\w{1,60}+)"
    r"(?: \[\w{1,60}\])?(?:: |:?$|:?\n| thrown from the UncaughtExceptionHandler)"
)
"""The first line of an uncaught exception: an optional package, then a type, then the message."""
_FIGURE = re.compile(
    r"(?:\{ )?(?:[a-z]\w{0,80}(?:Error|Exception): (?i:null|none|nil|undefined|true|false|nan|-?\d{1,20})"
    r"|[A-Z]\w{0,80}Error: -?\d{1,20}\.\d{1,20})(?:[,;\n})\]]|$)"
)
"""A variable and its value: `hasError: False`, `MeanSquaredError: 0.0132`."""
_TRACE = re.compile(
    r"\n(?:Traceback \(most recent call last\):|\[stacktrace\]\n"
    r"| {1,8}at [^\n(]{1,300}+\(|at [\w.`<>$]{1,300}+\()"
)
"""A trace below the first line: of Python, of Java, Node or .NET, of PHP's Monolog."""
_RUBY = re.compile(r"\S{1,200}\.rb:\d{1,7}:in [`'][^\n]{1,1000}\(\w[\w:]{0,100}\)(?:\n|$)")
_TYPES = ("Runtime.", "Extension.", "Function.")
_PANICKED = re.compile(r"thread '[^'\n]{1,80}'(?: \(\d{1,9}\))? (?:panicked at |has overflowed its stack)")
_HEAD_WITHIN = 300
_TRACE_WITHIN = 4096
_FIRST_HEADS = ("[ERROR]", "IMAGE ")
_ERROR_HEADS = (
    "Traceback ",
    "Exception Group Traceback ",
    "panic: ",
    "fatal error: ",
    "Unknown application error occurred",
    "module initialization error",
    "Unable to import module",
    "Class not found: ",
    "Error loading class ",
    "Error loading method ",
    "No public method named ",
    "Failed to initialize CoreCLR",
    "GC heap initialization failed",
    "# There is insufficient memory for the Java Runtime Environment",
    "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(",
    "terminate called ",
    "libc++abi: terminating ",
    "unexpected fault address ",
    "FATAL ERROR: ",
    "Fatal error: ",
    "PHP Fatal error: ",
    "Error communicating with PHP-FPM",
    "The function failed to start. ",
    "The PHP script timed out. ",
    "calling the handler function resulted in a panic",
    *PHRASES,
)
"""How lines of the runtimes begin, behind their prefix, that tell of a failure in words of their own."""
_PLATFORM_ERROR = re.compile(
    r"RequestId: (\S{1,128}) (?:Error: (?!Task timed out)|Process exited before completing request)"
)
_EXITED = "Error: Runtime exited"
_EXTENSION = re.compile(r"EXTENSION\s{1,8}Name: \S{1,200}\s{1,8}State: (\w{1,40})\b")


class LogLine(Struct, frozen=True):
    """One cleaned log event.

    `seq` counts up within one function's tail; `at` is the event's timestamp in s since the epoch.
    `kind` is start, end, report, init, error, timeout or app; `level` is trace, debug, info, warn, error,
    fatal or "". `signature` is the known failure that the line shows (see `known_failures.py`), "" for none.
    `raw` is the message as it came, "" where nobody asked for it. `tenant` is the id of the tenant, which
    JSON lines of functions with tenant isolation have (Lambda developer guide, "Monitoring Lambda functions
    with tenant isolation").
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
    raw: str = ""
    tenant: str = ""

    @property
    def trace_id(self) -> str:
        """Id of X-Ray in a REPORT, or in the line that is the second half of one; "" for none."""
        if self.report is not None:
            return self.report.trace_id
        return _fields_of(self.text)[1] if self.text.startswith(_XRAY) else ""

    def numbered(self, seq: int) -> LogLine:
        """Return the same line as number `seq`; `dataclasses.replace` would take three times as long."""
        return LogLine(
            seq,
            self.at,
            self.event_id,
            self.stream,
            self.kind,
            self.level,
            self.text,
            self.request_id,
            self.report,
            self.signature,
            self.raw,
            self.tenant,
        )


def parse(
    at: float, event_id: str, stream: str, message: str, seq: int = 0, *, keep_raw: bool = False
) -> LogLine:
    """Return one raw log event as a cleaned line.

    The fold renumbers it where `seq` is not the number it gets.
    """
    raw = message if keep_raw else ""
    message = without_colours(message.rstrip("\n"))
    text = clean(message)
    # A carriage return ends a line too (Node and Windows hosts write them); it stays visible in the text.
    plain = text.replace("\u240d\n", "\n").replace("\u240d", "\n") if "\u240d" in text else text
    read = read_json(message, plain) if text.startswith("{") else None
    kind, level, request_id, report, signature, tenant = read or _text_line(plain)
    rid = shared(request_id) if request_id else ""
    whose = shared(tenant) if tenant else ""
    return LogLine(seq, at, event_id, shared(stream), kind, level, text, rid, report, signature, raw, whose)


def _text_line(text: str) -> Read:
    if text.startswith(_HEADS):
        head = _HEAD.match(text)
        if head:
            return _platform_text(text, head)
        if failed := _PLATFORM_ERROR.match(text):
            return Read("error", "error", failed[1], None, classify(text))
        extension = _EXTENSION.match(text)
        if extension and (signature := extension_failure(extension[1])):
            return Read("error", "error", "", None, signature)
    if text.startswith(_XRAY):
        # The second line of a REPORT, as an event of its own.
        return Read("report", "")
    if "Task timed out" in text and (late := TIMED_OUT.match(text)):
        return Read("timeout", "error", late[1] or "", None, "timeout")
    return _application(text)


def _application(text: str) -> Read:
    # Nearly every id stands near the beginning; without one there is no prefix to look at.
    has_id = _MIDDLE.search(text, 0, _ID_WITHIN) is not None
    prefix = PREFIX.match(text) if has_id or " undefined " in text[:48] else None
    request_id = _id_of(text, prefix) if has_id else ""
    level = _prefix_level(text, prefix) if prefix else level_in(text)
    error = prefix is not None and level in ("error", "fatal")
    if error or _failed(text, prefix, level):
        # Without a prefix the word that was found may be the exception's own: `FATAL: too many connections`.
        own = level if level == "fatal" and not _thrown(text) else "error"
        return Read("error", own, request_id, None, of_level(text, own))
    return Read("app", level, request_id, None, of_level(text, level))


def _failed(text: str, prefix: re.Match[str] | None, level: str) -> bool:
    """Return whether a line tells of a failure without the level of a runtime before it."""
    if text.startswith(_FIRST_HEADS) or text.lstrip(" +|").startswith(_ERROR_HEADS):
        return True
    if _EXITED in text or _thrown(text) or uncaught(text):
        return True
    if level not in ("", "error", "fatal"):
        return False  # whoever logs a trace as a warning or while debugging has handled it
    if "\n" in text and _TRACE.search(text, 0, _TRACE_WITHIN):
        return True
    before = prefix or (_STAMPED.match(text) if text[:1].isdigit() or text[:1] == "[" else None)
    body = text[before.end() : before.end() + _HEAD_WITHIN] if before else ""
    return body.startswith(_ERROR_HEADS) or _thrown(body) or (bool(prefix) and _bare_error(body))


def _bare_error(body: str) -> bool:
    """Return whether Node of old wrote an error that the handler handed to its callback: JSON, no level."""
    return body.startswith("{") and '"errorMessage"' in body


def _prefix_level(text: str, prefix: re.Match[str]) -> str:
    """Return the level that stands nearest to the message: a logger's own wins over that of its runtime."""
    if text.startswith("{", prefix.end()):
        own = written_level(text[prefix.end() :])
    else:
        logger = _LOGGER.match(text, prefix.end())
        own = level_word(logger[logger.lastindex] if logger.lastindex else "warn") if logger else ""
    return own or level_word(prefix["c"] or prefix["b"] or prefix["a"] or "") or level_in(text)


def _thrown(text: str) -> bool:
    head = text[:_HEAD_WITHIN]
    if head.startswith("thread '") and _PANICKED.match(head):
        return True
    if "Exception" in head or "Error" in head or head.startswith(_TYPES):
        if _THROWN.match(head):
            return not _FIGURE.match(head)
        return ".rb:" in head and _RUBY.match(text) is not None
    return False


def _id_of(text: str, prefix: re.Match[str] | None) -> str:
    """Return request id where a runtime writes it, in the prefix or named; other UUIDs may be anything."""
    if prefix is None:
        prefix = PREFIX.match(text)
    if prefix is not None:
        return "" if prefix["id"] == "undefined" else prefix["id"]
    named = _REQUEST.search(text, 0, _ID_WITHIN)
    return named.group(1) if named else ""


def _platform_text(text: str, head: re.Match[str]) -> Read:
    word, request_id, init = head.groups()
    if init:
        report = _report(text) if init.endswith("REPORT") else None
        return Read("init", report_level(report), "", report, classify(text, report) if report else "")
    if word != "REPORT":
        return Read(word.lower(), "", request_id)
    report = _report(text)
    return Read("report", report_level(report), request_id, report, classify(text, report))


def _fields_of(text: str) -> tuple[dict[str, str], str]:
    """Return the fields of a REPORT by their keys, in any order and with any separating space, and its trace.

    A value ends with its line or where the next key begins.
    """
    parts = _KEYS.split(text)
    fields = {
        key: value.strip().split("\n", 1)[0].rstrip()
        for key, value in zip(parts[1::2], parts[2::2], strict=True)
    }
    sampled = fields.get("Sampled", "").lower() != "false"
    return fields, trace_id(fields.get("XRAY TraceId")) if sampled else ""


def _report(text: str) -> Report:
    fields, trace = _fields_of(text)
    return Report(
        duration_ms=_figure(millis, fields.get("Duration")),
        billed_ms=_figure(millis, fields.get("Billed Duration")),
        memory_mb=_figure(megabytes, fields.get("Memory Size")),
        max_memory_mb=_figure(megabytes, fields.get("Max Memory Used")),
        init_ms=_figure(millis, fields.get("Init Duration")),
        status=fields.get("Status", "")[:64],
        error_type=fields.get("Error Type", "")[:256],
        restore_ms=_figure(millis, fields.get("Restore Duration")),
        trace_id=trace,
    )


def _figure(read: Callable[[object], float | None], text: str | None) -> float | None:
    return read(text.split(" ", 1)[0]) if text else None
