r"""Recognize an exception that left a handler, as each managed runtime writes it. Pure, linear.

What a logger writes of an exception that was handled looks otherwise. The forms are those of the runtimes'
clients on GitHub: aws/aws-lambda-go (`date {"errorMessage": …}`), aws/aws-lambda-java-libs (UserFault.java:
`message: class`, then `class: message` and frames), aws-lambda-ruby-runtime-interface-client (a phrase, then
JSON), aws-lambda-nodejs-runtime-interface-client (prefix, phrase, JSON), aws/aws-lambda-dotnet (level `fail`,
type and message, frames), aws-lambda-python-runtime-interface-client (`[ERROR] Type: message`).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

MOST = 4096
"""Characters that are looked at."""
_JSON_WITHIN = 300
PHRASES = (
    "Critical exception from handler",
    "Error raised from handler method",
    "Init error when loading handler",
    "Invoke Error",
    "Uncaught Exception",
    "Unhandled Promise Rejection",
)
"""What stands before the exception in JSON: Ruby's three, Node's three (Bref for PHP writes their first)."""
_GO = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? $")
_NAME = r"[A-Za-z_$][\w$]{0,80}+"
_JAVA = re.compile(rf": ((?:{_NAME}\.)++{_NAME})\n\1\b")
_DOTNET = re.compile(rf"((?:{_NAME}\.)*+{_NAME}): ([^\n]{{0,2000}}+)\n {{1,4}}(?:at |---> )")
_TYPE = re.compile(r'"errorType":\s{0,8}"((?:[^"\\]|\\.){0,300}+)')
_MESSAGE = re.compile(r'"errorMessage":\s{0,8}"((?:[^"\\]|\\.){0,2000}+)')
_GO_KEYS = {"errorMessage", "errorType", "stackTrace"}
"""Those of `messages.InvokeResponse_Error` in aws/aws-lambda-go."""
_DECODER = json.JSONDecoder(strict=False)


class Uncaught(NamedTuple):
    """The type and the message of an exception; "" for what is not told."""

    type: str
    message: str

    @property
    def words(self) -> str:
        """`type: message`."""
        return ": ".join(filter(None, self))


def uncaught(text: str) -> Uncaught | None:
    """Return the exception in the cleaned text of one event, None where it tells of none that left a handler.

    Python's and .NET's are recognized by what stands before them: see `line.py`.
    """
    if '"error' in text:
        start = text.find("{", 0, _JSON_WITHIN)
        before = text[:start] if start > 0 else ""
        if start == 0:
            return _bare(text)
        if any(phrase in before for phrase in PHRASES) or _GO.fullmatch(before):
            return in_json(text[start:])
    if "\n" in text and (java := _JAVA.search(text, 0, MOST)):
        return Uncaught(java[1], text[: java.start()])
    return None


def _bare(text: str) -> Uncaught | None:
    """Return the exception of Go's client where its logger writes no stamp: JSON of nothing else."""
    if not text.startswith('{"errorMessage":') or text[-1:] != "}":
        return None
    try:
        data = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return in_json(text) if isinstance(data, dict) and data.keys() <= _GO_KEYS else None


def in_json(text: str) -> Uncaught | None:
    """Return the exception that JSON holds, which may be cut off."""
    try:
        data, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        found = (_TYPE.search(text, 0, MOST), _MESSAGE.search(text, 0, MOST))
        type_, message = (match[1] if match else "" for match in found)
    else:
        type_, message = (
            data.get(name) if isinstance(data, dict) else "" for name in ("errorType", "errorMessage")
        )
    found_ = Uncaught(type_ if isinstance(type_, str) else "", message if isinstance(message, str) else "")
    return found_ if any(found_) else None


def from_dotnet(body: str) -> Uncaught | None:
    """Return the exception that a .NET line of level `fail` begins with, behind its prefix."""
    found = _DOTNET.match(body)
    return Uncaught(found[1], found[2]) if found else None
