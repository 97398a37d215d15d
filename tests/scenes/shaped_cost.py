"""What burns money: a runaway, work in vain, a busier day than yesterday; and days that only look dear."""

from __future__ import annotations

from scenes.curves import FIRST, SCOPE, T0, flat, ramp, step
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.state import events as ev

HOUR_MS = 3_600_000.0


def _yesterday(stage: Stage, running: float) -> None:
    """Add the hours of the day before, with so many concurrent executions on average."""
    day = T0 - 86_400
    hours = tuple((day + 3600 * h, running * HOUR_MS, 1000.0) for h in range(-1, 4))
    stage.post(FIRST, ev.BurnHistoryObserved(SCOPE, 0.0, hours))


def runaway() -> Scene:
    """A crawler that found a loop of links: twelve times the pages from one minute to the next."""
    stage = Stage("cost-runaway", "A crawler costs twelve times what it did an hour ago")
    crawler = stage.function("page-crawler", memory_mb=2048, timeout_s=30)
    stage.traffic(crawler, step(70, 60, 720), duration_ms=flat(8000))
    stage.must("cost_burn", "page-crawler", minute=70)
    return stage.scene()


def in_vain() -> Scene:
    """Nothing rises, but two of three runs fail: most of the bill is for nothing, since hours."""
    stage = Stage("cost-in-vain", "Two of three runs of a costly function fail")
    render = stage.function("video-render", memory_mb=8192, timeout_s=60)
    stage.traffic(render, flat(30), errors=flat(0.66), duration_ms=flat(20_000))
    stage.must("cost_burn", "video-render")
    stage.may("error_rate")
    return stage.scene()


def than_yesterday() -> Scene:
    """Since more than an hour the account does four times yesterday's work: no minute stands out any more."""
    stage = Stage("cost-than-yesterday", "Four times the running time of this hour yesterday")
    stage.traffic(stage.function("resizer", memory_mb=3008, timeout_s=30), flat(120), duration_ms=flat(9000))
    stage.traffic(stage.function("catalogue-api"), flat(200))
    _yesterday(stage, 4.6)
    stage.must("cost_burn", SCOPE.account)
    return stage.scene()


def campaign() -> Scene:
    """Twice the traffic within ten minutes, as every day at this time: dear, and as it should be."""
    stage = Stage("cost-campaign", "A campaign doubles what a costly function burns")
    shop = stage.function("shop-api", memory_mb=3008, timeout_s=10)
    stage.traffic(shop, ramp(65, 75, 600, 1200), duration_ms=flat(900))
    _yesterday(stage, 16.0)
    stage.never("cost_burn")
    return stage.scene()


def small_change() -> Scene:
    """A hundred times as much, of next to nothing; half of it fails."""
    stage = Stage("cost-small-change", "A hundred times as many runs that cost cents")
    stage.traffic(stage.function("webhook"), step(70, 2, 200), errors=step(70, 0.0, 0.5))
    stage.never("cost_burn")
    stage.may("error_rate")
    stage.may("error_burst")
    return stage.scene()


SCENES = (runaway, in_vain, than_yesterday, campaign, small_change)
