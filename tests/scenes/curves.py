"""How figures run over the minutes of a scene, and where and when it takes place."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.settings.settings import MetricSettings, Settings

SCOPE = Scope("111122223333", "eu-central-1")
T0 = 1_800_000_000
FIRST, MINUTES, LOGGED_FROM = 60, 90, 50
PUBLISH_S = 95.0
ACCOUNT = Key(SCOPE, "account", SCOPE.account)
AWS = Settings(metrics=MetricSettings(publish_delay_s=120.0, times=1.0))

Curve = Callable[[int], float]


def flat(value: float) -> Curve:
    return lambda minute: value


def step(at: int, before: float, after: float, until: int = MINUTES + 1) -> Curve:
    """Return `after` in the minutes [at, until), `before` otherwise."""
    return lambda minute: after if at <= minute < until else before


def ramp(start: int, end: int, before: float, after: float) -> Curve:
    """Return a straight line from `before` to `after` between two minutes."""

    def value(minute: int) -> float:
        share = min(1.0, max(0.0, (minute - start) / (end - start)))
        return before + share * (after - before)

    return value


def when(minute: float) -> float:
    """Return a minute of the scene in seconds since the epoch."""
    return T0 + 60.0 * minute


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{SCOPE.region}:{SCOPE.account}:{rest}"


def poisson(dice: Random, mean: float) -> int:
    """Return a Poisson-distributed number; the normal approximation from 50 on."""
    if mean <= 0:
        return 0
    if mean > 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


ZERO = flat(0.0)
QUICK = flat(120.0)
"""Nothing; a duration of 120 ms."""
