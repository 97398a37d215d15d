"""Take from the log what a function's errors are, for detectors that count by metrics. Pure."""

from __future__ import annotations

from collections import Counter

from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.digest import events
from lambdatop.domain.log_analysis.fingerprints import ErrorKind, digest_errors, fingerprint
from lambdatop.domain.log_analysis.requests import FAILED, requests
from lambdatop.domain.loglines.records import Record, join
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.memo import once

Evidence = tuple[tuple[str, float | int | str | None], ...]


NEWEST_LINES = 400
"""Newest lines of a tail that are looked at: this is done in every round for every function that fails."""


@once
def _newest(tail: LogTail) -> tuple[Record, ...]:
    """Return the newest records of a tail."""
    return join(sorted(events(tail), key=lambda line: line.at)[-NEWEST_LINES:])


def most_frequent(tail: LogTail, since: float) -> ErrorKind | None:
    """Return the most frequent kind of error since a moment (s since the epoch); None without any.

    What requests failed of comes before what lines merely say: a retry that is logged in every request is not
    why a third of them fails.
    """
    records = [r for r in _newest(tail) if r.at >= since]
    kinds = digest_errors(records)
    if len(kinds) < 2:
        return next(iter(kinds), None)
    failed = Counter[str]()
    for words, count in Counter(r.error for r in requests(records) if r.status in FAILED and r.error).items():
        failed[fingerprint(words)] += count
    of_failed = [kind for kind in kinds if failed[kind.fingerprint]]
    return max(of_failed, key=lambda kind: failed[kind.fingerprint], default=kinds[0])


def failure_evidence(context: EvaluationContext, key: Key, over: Window) -> Evidence:
    """Return most frequent failure in the log since the window began: fingerprint, count, known signature.

    Counted among the newest NEWEST_LINES lines. All None where no tail is followed. Secrets in it are masked.
    """
    tail = context.world.logs.get(key)
    # Log lines carry the clock's time, which published minutes outrun in the demo.
    since = context.now - (context.now - over.start) / context.settings.metrics.times
    kind = most_frequent(tail, since) if tail is not None else None
    none = None if tail is None else 0
    return (
        ("most_frequent_failure", redact(kind.fingerprint)[0] if kind else None),
        ("most_frequent_lines", kind.count if kind else none),
        ("most_frequent_signature", kind.signature or None if kind else None),
    )
