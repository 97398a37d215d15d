"""Render the analysis of a function's log as the JSON of a snapshot. Pure; secrets in samples are hidden."""

from __future__ import annotations

from lambdatop.domain.log_analysis.fingerprints import ErrorKind
from lambdatop.domain.log_analysis.summary import LogSummary
from lambdatop.domain.log_analysis.tenants import TenantRequests
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.report.json.primitives import Json, finite, iso


def log_json(tail: LogTail | None, summary: LogSummary | None) -> Json | None:
    """Return the last minutes of a tail, and what they teach; null for one that was not read.

    `burn_usd_per_hour_exact` is null without a single billed REPORT.
    """
    if tail is None or summary is None:
        return None
    figures = summary.figures
    numbers: Json = {
        "lag_s": tail.lag_s,
        "coverage": tail.coverage,
        "usd_per_hour": tail.usd_per_hour,
        "complete": figures.complete,
        "gap": tail.gap or None,
        "cold_start_share": figures.cold_start_share,
        "environments": figures.environments,
        "proactive_inits": figures.proactive_inits,
        "burn_usd_per_hour_exact": figures.billed_usd_per_hour,
    }
    return {
        "from": iso(figures.since),
        "to": iso(figures.until),
        "lines": summary.lines,
        "via": tail.via,
        **finite(numbers),
        "errors": [_error(kind) for kind in summary.kinds],
        "tenants": [_tenant(tenant) for tenant in summary.tenants],
    }


def _tenant(tenant: TenantRequests) -> Json:
    return {
        "tenant": tenant.tenant or None,
        "requests": tenant.requests,
        "failed": tenant.failed,
        "share_of_failed": tenant.share,
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
