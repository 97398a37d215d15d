"""Throttling, each limit in turn; and time: near timeouts, late datapoints, failing sources, idle nights."""

from __future__ import annotations

from random import Random

from scenes.curves import ACCOUNT, MINUTES, ZERO, flat, ramp, step
from scenes.lines import old_text
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.function import AccountFacts


def _neighbours(stage: Stage) -> None:
    for name, per_min in (("catalogue-api", 600), ("session-api", 240)):
        stage.traffic(stage.function(name), flat(per_min), errors=flat(0.004), duration_ms=flat(60))


def reserved() -> Scene:
    """Demand grows beyond the reserved concurrency."""
    stage = Stage("reserved-limit", "A function at its reserved concurrency of 20")
    _neighbours(stage)
    api = stage.function("checkout-api", reserved=20)
    level = step(66, 9, 20)
    stage.traffic(
        api, step(66, 500, 900), duration_ms=flat(1200), throttles=step(66, 0, 200), concurrency=level
    )
    limit = (("limit", "reserved"),)
    stage.must("throttled", "checkout-api", "critical", minute=66, evidence=limit)
    return stage.scene()


def account_pool() -> Scene:
    """An import takes the account's concurrency; an innocent function is refused."""
    stage = Stage("account-pool", "One function uses up the account's 1000, another one is refused")
    _neighbours(stage)
    hog = stage.function("bulk-import", timeout_s=300)
    victim = stage.function("checkout-api")
    stage.traffic(hog, step(66, 20, 1900), duration_ms=flat(29_000), concurrency=step(66, 12, 960))
    stage.traffic(victim, flat(400), throttles=step(66, 0, 120), concurrency=flat(30))
    for metric in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        stage.series(ACCOUNT, metric, "Maximum", step(66, 160, 1000))
    limit = (("limit", "account pool"), ("limit_value", 1000))
    stage.must("throttled", "checkout-api", "critical", minute=66, evidence=limit)
    stage.must("quota_headroom", "concurrent executions", "critical", minute=66)
    stage.may("cost_burn", "bulk-import")
    return stage.scene()


def request_rate() -> Scene:
    """Short requests: concurrency looks free, the rate is not."""
    stage = Stage("request-rate", "10 requests a second per unit of concurrency: the rate is the limit")
    _neighbours(stage)
    beacon = stage.function("beacon", reserved=10)
    stage.traffic(
        beacon,
        step(66, 1200, 6300),
        duration_ms=flat(12),
        throttles=step(66, 0, 400),
        concurrency=step(66, 3, 7),
    )
    stage.must("throttled", "beacon", "critical", minute=66, evidence=(("limit", "request rate"),))
    return stage.scene()


def scaling_rate() -> Scene:
    """A step of thousands within a minute, far below every cap."""
    stage = Stage("scaling-rate", "3000 environments within a minute: faster than Lambda scales")
    stage.account = AccountFacts(10_000, 9_900, 300 << 30, 5 << 30, 8)
    _neighbours(stage)
    live = stage.function("live-score", timeout_s=60)
    stage.traffic(
        live,
        step(70, 600, 36_000),
        duration_ms=flat(5000),
        throttles=step(70, 0, 4000, 74),
        concurrency=step(70, 60, 3100),
    )
    stage.series(ACCOUNT, "ClaimedAccountConcurrency", "Maximum", step(70, 200, 3300))
    stage.must("throttled", "live-score", "critical", minute=70, evidence=(("limit", "scaling rate"),))
    stage.may("cost_burn", "live-score")
    return stage.scene()


def climbing() -> Scene:
    """Durations climb for an hour until they reach the timeout."""
    stage = Stage("slow-climb", "Durations climb until the timeout ends them")
    _neighbours(stage)
    search = stage.function("search", timeout_s=10)
    stage.traffic(search, flat(60), errors=step(82, 0.0, 0.3), duration_ms=ramp(40, 86, 900, 7000))
    stage.executions(
        search,
        flat(10),
        old_text,
        lambda minute, dice: "timeout" if minute >= 82 and dice.random() < 0.3 else "ok",
        duration_ms=4000,
    )
    stage.must("near_timeout", "search", minute=69)
    stage.must("timeouts", "search", minute=82)
    stage.must("error_rate", "search", minute=82)
    stage.must("near_timeout", "search", "critical", minute=82)
    stage.may("error_burst", "search")
    return stage.scene()


def late_points() -> Scene:
    """Runs of ten minutes: quick failures are published at once, long successes when they end.

    A datapoint carries the start of its invocation, so young minutes show nothing but failures.
    """
    stage = Stage("late-points", "Long functions: failures show at once, successes ten minutes later")
    fine = stage.function("transcode", timeout_s=900)
    bad = stage.function("transcode-4k", timeout_s=900)
    dice = Random("late")
    for minute in range(MINUTES):
        for key, share in ((fine, 0.02), (bad, 0.4)):
            failed = sum(dice.random() < share for _ in range(25))
            stage.point(key, "Invocations", "Sum", minute, failed)
            stage.point(key, "Errors", "Sum", minute, failed)
            stage.point(key, "Duration", "Maximum", minute, 900)
            stage.point(key, "Duration", "p99", minute, 900)
            stage.point(key, "Invocations", "Sum", minute, 25, late_s=600)
            stage.point(key, "Duration", "Maximum", minute, 600_000, late_s=600)
            stage.point(key, "Duration", "p99", minute, 590_000, late_s=600)
    stage.must("error_rate", "transcode-4k", minute=60)
    return stage.scene()


def metrics_fail() -> Scene:
    """CloudWatch cannot be reached in the middle of an incident: what was found stands."""
    stage = Stage("metrics-fail", "Ten minutes without metrics in the middle of an incident")
    _neighbours(stage)
    api = stage.function("checkout-api")
    stage.traffic(api, flat(120), errors=step(63, 0.002, 0.35))
    stage.failing = (72, 82)
    stage.must("error_rate", "checkout-api", "critical", minute=63, stays=True)
    stage.may("error_burst", "checkout-api")
    return stage.scene()


def idle_night() -> Scene:
    """Cron jobs, a handful of requests, an error now and then; most minutes have no datapoint."""
    stage = Stage("idle-night", "An idle night: missing points, single errors")
    cron = stage.function("nightly-report", timeout_s=300)
    api = stage.function("admin-api")
    for minute in range(0, MINUTES, 15):
        stage.point(cron, "Invocations", "Sum", minute, 1)
        stage.point(cron, "Errors", "Sum", minute, 1 if minute == 60 else 0)
        stage.point(cron, "Duration", "Maximum", minute, 48_000)
        stage.point(cron, "Duration", "p99", minute, 48_000)
    stage.traffic(api, flat(0.4), errors=flat(0.1))
    jobs = stage.queue("jobs", stage.queue("jobs-dlq"))
    stage.mapping("jobs", cron)
    for metric in ("Visible", "NotVisible"):
        stage.series(jobs, f"ApproximateNumberOfMessages{metric}", "Maximum", ZERO)
    return stage.scene()


def burst() -> Scene:
    """A partner sends garbage for a while: from one error an hour to forty a minute."""
    stage = Stage("error-burst", "Errors jump from hardly any to forty a minute")
    _neighbours(stage)
    hook = stage.function("partner-webhook")
    stage.traffic(hook, flat(400), errors=step(70, 0.002, 0.1))
    stage.must("error_burst", "partner-webhook", minute=70)
    stage.must("error_rate", "partner-webhook", minute=70)
    return stage.scene()


SCENES = (
    reserved,
    account_pool,
    request_rate,
    scaling_rate,
    climbing,
    late_points,
    metrics_fail,
    idle_night,
    burst,
)
