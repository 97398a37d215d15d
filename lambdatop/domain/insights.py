"""Asking CloudWatch Logs Insights instead of reading every line: what is asked, and what it costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

USD_PER_GIB = 0.005
"""List price of scanned data (us-east-1; facts sheet on telemetry, section 9). 5 GiB a month are free."""

MOST_ROWS = 10_000
MOST_GROUPS = 50
"""Limits of one query (CloudWatch Logs quotas)."""

ERRORS = (
    "ERROR|Error:|Exception|Traceback|Task timed out|Runtime exited|Status: (error|timeout)|"
    "errorType|FATAL|CRITICAL|ENOSPC|EMFILE|panic:"
)
"""What a line that tells of a failure contains; a superset, judged line by line afterwards."""


class Row(NamedTuple):
    """One matching log event: `at` s since the epoch, the text as it came."""

    at: float
    group: str
    stream: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: the newest rows, how many matched in all, and what was scanned for it."""

    rows: tuple[Row, ...]
    matched: int
    scanned_records: int
    scanned_bytes: int

    @property
    def left_out(self) -> int:
        """Matches that were not handed out: the newest are."""
        return max(0, self.matched - len(self.rows))


def errors_query(limit: int = MOST_ROWS) -> str:
    """The query for lines that tell of failures, newest first.

    Grouping them is done here: the query language has no way to leave numbers and ids out of a message.
    """
    words = (
        "fields @timestamp, @message, @logStream, @log",
        f"filter @message like /{ERRORS}/",
        "sort @timestamp desc",
        f"limit {limit}",
    )
    return " | ".join(words)


def price_usd(scanned_bytes: float) -> float:
    """List price of a scan in USD."""
    return scanned_bytes / 2**30 * USD_PER_GIB
