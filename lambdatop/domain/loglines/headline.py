"""Find the line of a record that says what went wrong. Pure.

A traceback names its exception at its end, every other trace at its beginning, and JSON in a field.
"""

from __future__ import annotations

import json
import re

from lambdatop.domain.loglines.line import PREFIX
from lambdatop.domain.loglines.records import Record
from lambdatop.domain.loglines.uncaught import uncaught
from lambdatop.domain.sanitize import clean_line, without_colours

MOST = 2048
"""Characters of a headline."""
_DECODER = json.JSONDecoder(strict=False)
_MESSAGES = ("message", "msg", "@m", "@mt", "event", "error")
_RAISED = re.compile(r"(?:[A-Za-z_]\w{0,80}\.)*+[A-Za-z_]\w{0,80}(?:: |:?$)")
_PLAIN_PREFIX = re.compile(
    r"[DIWEFA], \[[^\]\n]{10,60}\]\s+[A-Z]{3,5} -- [\w.-]{0,60}: "
    r"|\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?\s+"
    r"(?:(?:fail|crit|error|fatal)\s+)?"
)
_SOURCE = re.compile(r"\S{1,300}\.[cm]?[jt]sx?:\d{1,7}$")
"""The first line of Node's report of an uncaught error: the place, then its code, a caret, and the error."""
_TITLE = re.compile(r"\[(?:ERROR|CRITICAL|FATAL)\]\s+|ERROR\s+|RequestId: [\w-]{1,64} ")


def headline(record: Record) -> str:
    """Return one cleaned line of at most MOST characters, without stamp, level and request id."""
    if record.first.report is not None:
        return _platform(record)
    text = record.text
    if text.startswith("{"):
        return clean_line(_from_json(text) or text, MOST)
    text = text[: 8 * MOST]
    prefix = PREFIX.match(text) or _PLAIN_PREFIX.match(text) or _TITLE.match(text)
    body = text[prefix.end() :] if prefix else text
    if (left := uncaught(text)) is not None:
        return clean_line(left.words, MOST)
    if body.startswith("{") and (found := _from_json(body)):
        return clean_line(found, MOST)
    if body.startswith("Traceback (most recent call last):"):
        body = _raised(body.split("\n")) or body
    lines = body.split("\n")
    if _SOURCE.match(lines[0]):
        body = next((line for line in lines if line[:1] != " " and _RAISED.match(line)), body)
    return clean_line(next((line for line in body.split("\n") if line.strip()), "").strip(), MOST)


def _platform(record: Record) -> str:
    report = record.first.report
    word = record.first.text.split(" ", 1)[0] if record.kind in ("init", "report") else ""
    if word.startswith("{") or report is None:
        word = "REPORT" if record.kind == "report" else "INIT_REPORT"
    status, error = (report.status, report.error_type) if report else ("", "")
    return clean_line(" ".join(w for w in (word, status, error) if w), MOST)


def _raised(lines: list[str]) -> str:
    """Return last line of a traceback that names an exception; a chain ends in the one that was raised."""
    return next((line for line in reversed(lines) if line[:1] != " " and _RAISED.match(line)), "")


def _from_json(text: str) -> str:
    """Return `type: message` of an error in JSON, "" when it holds neither or is cut off."""
    try:
        data = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    inner = next(
        (v for n in ("message", "error", "err", "record", "fields") if isinstance(v := data.get(n), dict)), {}
    )
    for fields in (data, inner):
        type_ = _words(fields, ("errorType", "exception_name", "error.type", "type"))
        message = _words(fields, ("errorMessage", *_MESSAGES, "error.message"))
        if message:
            named = fields.get("errorType") or fields.get("exception_name") or fields is inner
            return f"{type_}: {message}" if type_ and named else message
    return _words(data, ("errorType", "exception_name", "record"))


def _words(data: dict[str, object], names: tuple[str, ...]) -> str:
    found = (v for n in (*names, *(n.capitalize() for n in names)) if isinstance(v := data.get(n), str) and v)
    return without_colours(next(found, ""))
