"""Compute heat: one number from 0 to 100 for how urgently a function needs attention.

    heat = 45 E + 25 T + 15 D + 10 C + 5 V

    E  min(1, error rate / 0.25) x volume      errors that repeat
    T  min(1, throttled share / 0.05)          throttles / (throttles + invocations)
    D  max(0, (duration max / timeout - 0.5) / 0.5), at most 1
    C  max(0, (concurrency / cap - 0.5) / 0.5), at most 1; cap = reserved, else the account's limit
    V  min(1, log10(1 + invocations per min) / 4)
    volume  min(1, invocations per min / 2): one failed call in a night is no fire

Reserved concurrency 0 set on purpose does not make heat by its throttles: there is nothing to stop.
"""

from __future__ import annotations

from math import log10

from lambdatop.domain.facts.function import Reserved


def heat(
    *,
    invocations_per_min: float | None,
    error_rate: float | None,
    throttles_per_min: float | None,
    duration_max_ms: float | None,
    timeout_s: int,
    concurrency_max: float | None,
    reserved: Reserved,
    account_limit: int | None,
) -> float:
    """Return the heat 0..100 by the formula above; unknown parts count zero."""
    volume = invocations_per_min or 0.0
    throttles = throttles_per_min or 0.0
    errors = min(1.0, (error_rate or 0.0) / 0.25) * min(1.0, volume / 2)
    throttled = 0.0
    if throttles > 0 and reserved != 0:
        throttled = min(1.0, throttles / (throttles + volume) / 0.05)
    duration = _upper_half((duration_max_ms or 0.0) / (timeout_s * 1000)) if timeout_s else 0.0
    cap = reserved if reserved else account_limit
    concurrency = _upper_half((concurrency_max or 0.0) / cap) if cap else 0.0
    traffic = min(1.0, log10(1 + volume) / 4)
    return round(45 * errors + 25 * throttled + 15 * duration + 10 * concurrency + 5 * traffic, 1)


def _upper_half(share: float) -> float:
    return min(1.0, max(0.0, (share - 0.5) / 0.5))
