"""Prices and burn rates. An estimate at list price (us-east-1), never an invoice.

Source: AWS Lambda and CloudWatch price pages as collected in 2026-11; free tiers, savings plans and
volume tiers are left out, so the truth is at most this much.
"""

from __future__ import annotations

from lambdatop.domain.function import FunctionFacts

AS_OF = "2026-11"

GB_SECOND_USD = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
REQUEST_USD = 0.20 / 1_000_000
EPHEMERAL_GB_SECOND_USD = 0.0000000309
EPHEMERAL_FREE_MB = 512
METRIC_USD = 0.01 / 1000
"""One metric asked for through GetMetricData; never free."""
LOG_INGEST_GB_USD = 0.50
"""A GB (10^9 bytes) taken in by CloudWatch Logs, Standard class, first tier of Lambda logs."""


def burn_usd(facts: FunctionFacts, duration_ms: float, invocations: float) -> float:
    """USD for `invocations` that ran `duration_ms` in total.

    Formula: GB-s x price of the architecture + requests + extra /tmp. Init time is billed too but not
    in CloudWatch's Duration, so cold functions cost somewhat more.
    """
    seconds = duration_ms / 1000
    gb_s = seconds * facts.memory_mb / 1024
    price = GB_SECOND_USD.get(facts.architecture, GB_SECOND_USD["x86_64"])
    extra_gb = max(0, facts.ephemeral_mb - EPHEMERAL_FREE_MB) / 1024
    return gb_s * price + invocations * REQUEST_USD + seconds * extra_gb * EPHEMERAL_GB_SECOND_USD
