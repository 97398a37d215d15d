"""Render the analysis of a function's log as the JSON of a snapshot. Pure; secrets in samples are hidden."""

from __future__ import annotations

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.log_analysis.digest import events
from lambdatop.domain.log_analysis.figures import log_figures
from lambdatop.domain.log_analysis.fingerprints import ErrorKind, digest_errors
from lambdatop.domain.loglines.records import join
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.report.json.primitives import Json, finite, iso


def log_json(tail: LogTail | None, facts: FunctionFacts) -> Json | None:
    """Return the last minutes of a tail, up to its last reading; null for one that was not read.

    `burn_usd_per_hour_exact` is null without a single billed REPORT.
    """
    if tail is None or not tail.at:
        return None
    # A stamp may be ahead of our clock; nothing is known of what was written after the last reading.
    until = max((tail.at, *(line.at for line in tail.lines)))
    figures = log_figures(tail, facts, until)
    since = figures.since
    billed = figures.requests > figures.unbilled_reports
    numbers: Json = {
        "lag_s": tail.lag_s,
        "coverage": tail.coverage,
        "usd_per_hour": tail.usd_per_hour,
        "complete": figures.complete,
        "gap": tail.gap or None,
        "cold_start_share": figures.cold_start_share,
        "environments": figures.environments,
        "proactive_inits": figures.proactive_inits,
        "burn_usd_per_hour_exact": figures.usd_per_hour if billed else None,
    }
    return {
        "from": iso(since),
        "to": iso(until),
        "lines": sum(1 for line in tail.lines if line.at >= since),
        "via": tail.via,
        **finite(numbers),
        "errors": [_error(kind) for kind in digest_errors(r for r in join(events(tail)) if r.at >= since)],
    }


def _error(kind: ErrorKind) -> Json:
    return {
        "fingerprint": redact(kind.fingerprint)[0],
        "count": kind.count,
        "first": iso(kind.first_at),
        "last": iso(kind.last_at),
        "signature": kind.signature or None,
        "sample": redact(kind.sample)[0],
    }
