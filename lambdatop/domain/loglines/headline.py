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
_MESSAGES = (
    "message", "msg", "@m", "@mt", "RenderedMessage", "MessageTemplate", "short_message", "body", "event",
    "error", "M",
)  # fmt: skip
_CAUSES = ("err", "error", "Exception", "@x")
"""Where loggers put the error beside the message: as an object, or as text that may go on with its trace."""
_RAISED = re.compile(r"(?:[A-Za-z_]\w{0,80}\.)*+[A-Za-z_]\w{0,80}(?:: |:?$)")
_PLAIN_PREFIX = re.compile(
    r"[DIWEFA], \[[^\]\n]{10,60}\]\s+[A-Z]{3,5} -- [\w.-]{0,60}: "
    r"|\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?\s+"
    r"(?:(?:fail|crit|error|fatal)\s+)?"
)
_SOURCE = re.compile(r"\S{1,300}\.[cm]?[jt]sx?:\d{1,7}$")
"""The first line of Node's report of an uncaught error: the place, then its code, a caret, and the error."""
_JUL = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4},? \d{1,2}:\d\d:\d\d\s[AP]M [^\n]{1,300}\n[A-Z]{4,7}: ")
"""java.util.logging: stamp and method in a line of their own."""
_LOGFMT = re.compile(r"[^\n]{0,200}?(?<![\w.-])(?:level|lvl|severity)=")
_PAIR = re.compile(r"(?<![\w.-])(msg|message|event|err|error)=(?:\"((?:[^\"\\]|\\.)*+)\"|(\S+))")
_CATEGORY = re.compile(r"(?:fail|crit): [\w.`+]{1,200}\[\d{1,9}\]\n")
"""ASP.NET Core's console: level, category and number in a line of their own."""
_PANICKED = re.compile(
    r"(thread '[^'\n]{1,80}'(?: \(\d{1,9}\))? panicked at )(?:'([^\n]*)', )?([^\n]{1,300})"
)
_BARE_TYPE = re.compile(r"[\w.$]{1,120}(?:Error|Exception): *$")
_NO_MESSAGE = (" ", "\u2192", "/", "Invalid `")
"""How lines begin that Prisma writes between the type of an error and its message: the call and its place."""
_TITLE = re.compile(r"\[(?:ERROR|CRITICAL|FATAL)\]\s+|ERROR\s+|RequestId: [\w-]{1,64} ")


def headline(record: Record) -> str:
    """Return one cleaned line of at most MOST characters, without stamp, level and request id."""
    if record.first.report is not None:
        return _platform(record)
    text = record.text
    if text.startswith("{"):
        return clean_line(_from_json(text) or text, MOST)
    text = text[: 8 * MOST]
    prefix = PREFIX.match(text) or _PLAIN_PREFIX.match(text) or _TITLE.match(text) or _JUL.match(text)
    body = text[prefix.end() :] if prefix else text
    if (left := uncaught(text)) is not None:
        return clean_line(left.words, MOST)
    if body.startswith("{") and (found := _from_json(body)):
        return clean_line(found, MOST)
    return clean_line(_message(body), MOST)


def _message(body: str) -> str:
    """Return the line of text that says what went wrong."""
    if body.startswith("Traceback (most recent call last):"):
        body = _raised(body.split("\n")) or body
    if _LOGFMT.match(body) and (found := _from_pairs(body)):
        return found
    lines = [line for line in body.split("\n") if line.strip()] or [""]
    first, rest = lines[0], lines[1:]
    if panicked := _PANICKED.match(first):
        # Since 1.73 Rust writes the message below the place, before that between quotes.
        thread, message, place = panicked.groups()
        return f"{thread}{place.rstrip(':')}: {message or (rest[0] if rest else '')}".removesuffix(": ")
    if _CATEGORY.match(body):
        thrown = next((line for line in rest if "Exception: " in line and _RAISED.match(line.strip())), "")
        return (thrown or (rest[0] if rest else first)).strip()
    if _SOURCE.match(first):
        return next((line for line in lines if line[:1] != " " and _RAISED.match(line)), first).strip()
    if _BARE_TYPE.match(first) and rest:
        said = (line for line in rest if not line.startswith(_NO_MESSAGE) and not line.endswith(":"))
        return f"{first.strip()} {next(said, '')}".strip()
    return first.strip()


def _from_pairs(body: str) -> str:
    """Return message and error of a line of `key=value` pairs, as slog, logrus and go-kit write them."""
    pairs = {pair[1]: pair[2] if pair[2] is not None else pair[3] for pair in _PAIR.finditer(body, 0, MOST)}
    message = pairs.get("msg") or pairs.get("message") or pairs.get("event") or ""
    return _with_cause(message, pairs.get("err") or pairs.get("error") or "")


def _with_cause(message: str, cause: str) -> str:
    cause = cause.split("\n", 1)[0].strip()
    if cause in message or cause.startswith("Traceback"):
        return message
    return f"{message}: {cause}" if message else cause


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
            message = _with_cause(message, _cause(data))
            named = fields.get("errorType") or fields.get("exception_name") or fields is inner
            return f"{type_}: {message}" if type_ and named else message
    return _words(data, ("errorType", "exception_name", "record"))


def _cause(data: dict[str, object]) -> str:
    found = next((value for name in _CAUSES if (value := data.get(name))), "")
    if isinstance(found, dict):
        found = found.get("message")
    return without_colours(found) if isinstance(found, str) else ""


def _words(data: dict[str, object], names: tuple[str, ...]) -> str:
    found = (v for n in (*names, *(n.capitalize() for n in names)) if isinstance(v := data.get(n), str) and v)
    return without_colours(next(found, ""))
