"""Hold what the parsers of text and JSON log lines share: result, words for levels, numbers. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from lambdatop.domain.sanitize import without_colours

_BAD = ("error", "failure", "timeout")
_LEVELS = {
    "trace": "trace silly finest finer trce trc verbose vrb trac",
    "debug": "debug dbug fine dbg debu",
    "info": "info information notice inf",
    "warn": "warn warning wrn",
    "error": "error err fail severe erro",
    "fatal": "fatal critical crit panic dpanic alert emerg emergency ftl pnc fata pani",
}
_WORDS = {word: level for level, words in _LEVELS.items() for word in words.split()}
BAD_LEVELS = tuple(word for word, level in _WORDS.items() if level in ("error", "fatal"))
"""What loggers call the levels of errors."""
_NUMBERS = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
"""Numeric levels of bunyan and pino."""


class Report(Struct, frozen=True):
    """Numbers of one REPORT or platform.report line; None where the line has none.

    `trace_id` is that of X-Ray, "" where the execution was not sampled: X-Ray has no trace of it then.

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
    trace_id: str = ""


class Read(NamedTuple):
    """What the text of a line says, as LogLine names it."""

    kind: str
    level: str
    request_id: str = ""
    report: Report | None = None
    signature: str = ""
    tenant: str = ""


def level_word(level: object) -> str:
    """Return trace, debug, info, warn, error or fatal for a logger's level; "" for anything else.

    Colours around it are left out: winston colours the level in JSON too.
    """
    if isinstance(level, str):
        level = without_colours(level)
        if len(level) > 16:
            return ""
        word = level.strip().lower()
        # slog writes levels between its names as "ERROR+4".
        return _WORDS.get(word) or (_WORDS.get(word.partition("+")[0], "") if "+" in word else "")
    return _NUMBERS.get(level, "") if isinstance(level, int) else ""


def report_level(report: Report | None) -> str:
    """Return the level of a platform line: "error" when its status is not success."""
    return "error" if report and report.status in _BAD else ""


_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
"""An id of X-Ray, as its console and its API have it (AWS X-Ray developer guide, "X-Ray concepts")."""


def trace_id(text: object) -> str:
    """Return an id of X-Ray; "" for anything else, as it becomes part of a URL."""
    return text if isinstance(text, str) and _TRACE_ID.fullmatch(text) else ""


def trace_of_header(value: object) -> str:
    """Return the id in a tracing header, `Root=1-…;Parent=…;Sampled=1`; "" for one that is not sampled."""
    if not isinstance(value, str) or len(value) > MOST_HEADER:
        return ""
    parts = dict(part.partition("=")[::2] for part in value.split(";"))
    return trace_id(parts.get("Root")) if parts.get("Sampled") != "0" else ""


MOST_HEADER = 512
MOST_MS = 1e9
"""Beyond any execution (15 minutes) and any initialisation by far; what claims more is forged."""
LEAST_MB, MOST_MB = 1.0, 1e6
"""Functions have 128 to 10,240 MB (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
"""As the platform writes a figure. `float` would take exponents, `nan`, `1_000`, other scripts' digits."""


def millis(value: object) -> float | None:
    """Return a time of 0 to MOST_MS ms.

    None for anything else: the function may have printed the line itself.
    """
    return _within(value, 0.0, MOST_MS)


def megabytes(value: object) -> float | None:
    """Return a size of LEAST_MB to MOST_MB in MB; None for anything else."""
    return _within(value, LEAST_MB, MOST_MB)


def _within(value: object, least: float, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return None
    # Compared before it is made a float: an integer of a JSON line may have thousands of digits.
    return float(value) if least <= (float(value) if isinstance(value, str) else value) <= most else None


@lru_cache(maxsize=4096)
def shared(text: str) -> str:
    """Return an equal string, the same object for consecutive lines: ids and streams repeat."""
    return text
