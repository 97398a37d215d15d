"""Prepare Logs Insights queries and read their answers, with their cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from lambdatop.domain.log_analysis.fingerprints import ErrorKind, digest_errors
from lambdatop.domain.loglines.known_failures import NEEDLES
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.records import join
from lambdatop.domain.loglines.tokens import BAD_LEVELS

USD_PER_GIB = 0.005
"""List price of scanned data (us-east-1; aws.amazon.com/cloudwatch/pricing). 5 GiB a month are free."""

MOST_ROWS = 10_000
MOST_GROUPS = 50
"""Limits of one query (CloudWatch Logs quotas)."""

EXACT = (
    "ERROR|FATAL|CRITICAL|SEVERE|Error|Exception|Traceback|errorType|errorMessage"
    r"|(?:\b|m)(?:ERR|FTL|PNC)\b|\b[EF]\d{4} \d\d:\d\d:\d\d\."
)
ANY_CASE = "|".join(
    (
        rf"(?:level|lvl|severity|levelname|@l|\bl|severitytext)\W{{1,4}}(?:u001b\[[\d;]{{1,8}}m)?(?:{'|'.join(BAD_LEVELS)}|(?:[56]0|[0-3])\b)",
        rf"(?:\[|[0-9a-f]{{12}}\s|\d(?:z|[+-]\d\d:?\d\d)?\s)(?:{'|'.join(BAD_LEVELS)})\b",
        rf"(?:\b|m)(?:{'|'.join(BAD_LEVELS)})(?:\W\[[\d;]{{1,8}}m)?:(?:\s|$)",
        r"(?:\b|m)(?:erro|fata|pani)(?:\W\[[\d;]{1,8}m)?\[\d",
        r"state: \w{0,40}(?:error|failed|crash)\b",
        "overflowed its stack|terminate called|terminating|heap initialization failed|insufficient memory",
        r"status\W{1,4}(?:error|timeout|failure)",
        "(?:launch|fatal|initialization) error|panic: |panicked at |process exited|unable to import module",
        "exception from handler|unexpected fault address|php script timed out",
        r'"exception"\s?:\s?["\[{]',
        *NEEDLES,
    )
)
"""What a line that tells of a failure contains, in these letters or in any: more than that, for each line is
judged afterwards. tests/corpus compares it with what the parser calls an error."""


class Row(NamedTuple):
    """One matching log event: `at` s since the epoch, the text as it came."""

    at: float
    group: str
    stream: str
    message: str


class Found(Struct, frozen=True):
    """What a query found: the newest rows, how many matched, and what it scanned (None: not known)."""

    rows: tuple[Row, ...]
    matched: int
    scanned_bytes: int | None

    @property
    def usd(self) -> float | None:
        """What it cost at list price; None where nobody told what was scanned."""
        return None if self.scanned_bytes is None else price_usd(self.scanned_bytes)

    @property
    def left_out(self) -> int:
        """Matches that were not handed out: the newest are."""
        return max(0, self.matched - len(self.rows))


class Scan(Struct, frozen=True):
    """A query before it is asked: which log groups from when to when (s since the epoch), and its price.

    `about_bytes` and `usd` are None where nobody counted; `left_out` are groups beyond MOST_GROUPS.
    """

    groups: tuple[str, ...]
    start: float
    end: float
    about_bytes: int | None = None
    usd: float | None = None
    left_out: int = 0


class KindIn(NamedTuple):
    """A kind of error in one log group."""

    group: str
    kind: ErrorKind


class ErrorsFound(Struct, frozen=True):
    """The answer to a Scan: kinds of errors, the most frequent first, and what it cost (None: not known).

    Of `matched` lines the oldest `left_out` were not looked at.
    """

    kinds: tuple[KindIn, ...]
    matched: int
    left_out: int
    scanned_bytes: int | None
    usd: float | None


def errors_query(limit: int = MOST_ROWS) -> str:
    """Return the query for lines that show failures, newest first.

    Grouping them is done here: the query language has no way to leave numbers and ids out of a message.
    """
    words = (
        "fields @timestamp, @message, @logStream, @log",
        f"filter @message like /{EXACT}/ or @message like /(?i){ANY_CASE}/",
        "sort @timestamp desc",
        f"limit {limit}",
    )
    return " | ".join(words)


def price_usd(scanned_bytes: float) -> float:
    """List price of a scan in USD."""
    return scanned_bytes / 2**30 * USD_PER_GIB


def kinds_in(rows: Iterable[Row]) -> tuple[KindIn, ...]:
    """Return kinds of errors by log group, the most frequent first; rows without a failure are left out."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    found: list[KindIn] = []
    for group, of in groups.items():
        # Newest first as they came: turned, lines of one millisecond are in the order of writing.
        lines = [parse(row.at, "", row.stream, row.message) for row in reversed(of)]
        found += (KindIn(group, kind) for kind in digest_errors(join(lines)))
    return tuple(sorted(found, key=lambda k: (-k.kind.count, -k.kind.last_at, k.group, k.kind.fingerprint)))


def errors_found(found: Found) -> ErrorsFound:
    """Summarize the result of a query."""
    return ErrorsFound(kinds_in(found.rows), found.matched, found.left_out, found.scanned_bytes, found.usd)
