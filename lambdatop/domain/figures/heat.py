"""Compute heat: one number from 0 to 100 for how urgently a function needs attention.

    heat = 45 E + 25 T + 15 D + 10 C + 5 V

    E  min(1, error rate / error_rate.critical) x volume; errors that repeat
    T  min(1, throttled share / throttled.critical_share); throttles / (throttles + invocations)
    D  max(0, (duration max / timeout - 0.5) / 0.5), at most 1
    C  max(0, (concurrency / cap - 0.5) / 0.5), at most 1; cap = reserved, else the account's limit
    V  min(1, log10(1 + invocations per min) / 4)
    volume  min(1, invocations per min / 2): one failed call in a night is no fire

`error_rate.critical` and `throttled.critical_share` are the thresholds of those detectors.

Reserved concurrency 0 set on purpose does not make heat by its throttles: there is nothing to stop.
"""

from __future__ import annotations

from math import log10

from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.settings.thresholds import DetectorSettings
from lambdatop.domain.state.snapshot import HEAT_OF_VOLUME


def heat(
    *,
    invocations_per_min: float | None,
    error_rate: float | None,
    throttles_per_min: float | None,
    duration_max_ms: float | None,
    timeout_s: float,
    concurrency_max: float | None,
    reserved: Reserved,
    account_limit: int | None,
    limits: DetectorSettings,
) -> float:
    """Return the heat 0..100 by the formula above; unknown parts count zero."""
    volume = invocations_per_min or 0.0
    throttles = throttles_per_min or 0.0
    errors = _of(error_rate or 0.0, limits.error_rate.critical) * min(1.0, volume / 2)
    throttled = 0.0
    if throttles > 0 and reserved != 0:
        throttled = _of(throttles / (throttles + volume), limits.throttled.critical_share)
    duration = _upper_half((duration_max_ms or 0.0) / (timeout_s * 1000)) if timeout_s else 0.0
    cap = reserved if reserved else account_limit
    concurrency = _upper_half((concurrency_max or 0.0) / cap) if cap else 0.0
    traffic = min(1.0, log10(1 + volume) / 4)
    return round(
        45 * errors + 25 * throttled + 15 * duration + 10 * concurrency + HEAT_OF_VOLUME * traffic, 1
    )


def _of(share: float, full: float) -> float:
    """Return a share as a part of what counts in full, at most 1; a threshold may be set to 0."""
    return min(1.0, share / full) if full > 0 else float(share > 0)


def _upper_half(share: float) -> float:
    return min(1.0, max(0.0, (share - 0.5) / 0.5))
