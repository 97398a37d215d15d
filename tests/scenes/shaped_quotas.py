"""Limits of the account that fill up: slowly, all at once, by reservations, or not at all."""

from __future__ import annotations

from math import pi, sin

from scenes.curves import ACCOUNT, flat, ramp, step
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.function import AccountFacts

CONCURRENCY = "concurrent executions"


def _claimed(stage: Stage, curve: object) -> None:
    stage.series(ACCOUNT, "ClaimedAccountConcurrency", "Maximum", curve)  # type: ignore[arg-type]


def filling() -> Scene:
    """An import takes 22 environments more each minute: the account's 1,000 are gone in half an hour."""
    stage = Stage("quota-filling", "The account's concurrency fills up, 22 a minute")
    level = ramp(60, 90, 220, 880)
    hog = stage.function("bulk-import", timeout_s=60)
    stage.traffic(hog, flat(300), duration_ms=flat(9000), concurrency=lambda m: level(m) - 150)
    stage.traffic(stage.function("checkout-api"), flat(400), concurrency=flat(40))
    _claimed(stage, level)
    # From 670 on, 330 are left: a quarter of an hour at 22 a minute.
    stage.must("quota_headroom", CONCURRENCY, "critical", minute=80)
    stage.may("cost_burn")
    return stage.scene()


def levels_off() -> Scene:
    """A campaign: from 200 to 600 within ten minutes, and then it stays there."""
    stage = Stage("quota-levels-off", "Concurrency doubles and stays at 60 % of the limit")
    stage.traffic(stage.function("shop-api"), flat(600), concurrency=ramp(62, 82, 300, 560))
    _claimed(stage, ramp(62, 82, 340, 600))
    stage.never("quota_headroom", CONCURRENCY)
    return stage.scene()


def set_aside() -> Scene:
    """Reservations hold 90 % of it all and use hardly any: no traffic fills it, but it is worth saying."""
    stage = Stage("quota-set-aside", "Reservations hold 900 of 1,000, and use 20")
    stage.account = AccountFacts(1000, 100, 300 << 30, 5 << 30, 3)
    stage.traffic(stage.function("batch", reserved=900), flat(60), concurrency=flat(20))
    stage.traffic(stage.function("site"), flat(120), concurrency=flat(12))
    _claimed(stage, flat(915))
    stage.must("quota_headroom", CONCURRENCY, "info", at_most="info")
    return stage.scene()


def waves() -> Scene:
    """The day's rhythm around 65 %, with noise: it grows for a while, and never runs out."""
    stage = Stage("quota-waves", "Concurrency goes up and down around 65 %")
    stage.traffic(stage.function("shop-api"), flat(900), concurrency=flat(500))
    _claimed(stage, lambda m: 650 + 60 * sin(2 * pi * m / 50) + (m * 37 % 23))
    stage.never("quota_headroom", CONCURRENCY)
    return stage.scene()


def near_for_a_while() -> Scene:
    """At 860 of 1,000 from one minute to the next, and steady there: near, not full."""
    stage = Stage("quota-near", "Concurrency steps to 86 % and stays")
    stage.traffic(stage.function("shop-api"), flat(900), concurrency=step(70, 400, 800))
    _claimed(stage, step(70, 450, 860))
    stage.must("quota_headroom", CONCURRENCY, minute=70, at_most="critical", stays=True)
    return stage.scene()


SCENES = (filling, levels_off, set_aside, waves, near_for_a_while)
