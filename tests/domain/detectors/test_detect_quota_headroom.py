from __future__ import annotations

import pytest
from fakes.queuescene import ACCOUNT, HOG, found
from fakes.worlds import NOW, SCOPE, WORKER, function, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules.quota_headroom import detect, span_words
from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

QUOTA = Key(SCOPE, "quota", "concurrent executions")


def scene(
    *more: ev.Event, unreserved: int = 900, functions: tuple[FunctionFacts, ...] | None = None
) -> World:
    account = AccountFacts(1000, unreserved, 300 << 30, 5 << 30, 2)
    listed = (function(), function("thumbnailer")) if functions is None else functions
    return fold_all(
        EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, listed), ev.AccountObserved(SCOPE, NOW, account), *more]
    )


def claimed(*values: float) -> ev.MetricPoints:
    return points(ACCOUNT, "ClaimedAccountConcurrency", list(values), "Maximum")


def level(key: Key, *values: float) -> ev.MetricPoints:
    return points(key, "ConcurrentExecutions", list(values), "Maximum")


def reserved(**amounts: int | None) -> ev.ConcurrencyObserved:
    keys = ((Key(SCOPE, "function", name.replace("_", "-")), n) for name, n in amounts.items())
    return ev.ConcurrencyObserved(SCOPE, NOW, tuple(keys))


def only(world: World) -> Finding | None:
    findings = found(detect, world)
    assert len(findings) <= 1
    return findings[0] if findings else None


@pytest.mark.parametrize(
    ("used", "severity"),
    [(790, None), (800, "warning"), (940, "warning"), (950, "critical"), (1000, "critical")],
)
def test_near_and_full(used: float, severity: str | None) -> None:
    finding = only(scene(metrics(claimed(*[used] * 12))))
    assert (finding.severity if finding else None) == severity


def test_what_is_full_soon_is_critical_before_it_is_near() -> None:
    rising = [350.0 + 20 * i for i in range(15)]  # 630 of 1,000; 370 / 20 a minute = 18.5 min
    assert only(scene(metrics(claimed(*rising)))) is None
    faster = [280.0 + 30 * i for i in range(15)]  # 700; 300 / 30 a minute = 10 min
    finding = only(scene(reserved(thumbnailer=None), metrics(claimed(*faster), level(HOG, 400, 480))))
    assert finding is not None
    assert (finding.severity, finding.target.key, finding.remedy) == ("critical", QUOTA, HOG)
    assert (
        finding.title
        == "concurrent executions: 700 of 1000 environments, 70%; thumbnailer takes 480; full in 10 min"
    )
    assert finding.formula == "700 / 1000 environments = 70.0%; 300 left / +30.0 per min = 10 min (10 min)"
    evidence = dict(finding.evidence)
    assert (evidence["soonest_exhausted_s"], evidence["confidence"], evidence["headroom"]) == (
        600,
        "high",
        300,
    )
    assert evidence["top_consumers"] == "thumbnailer 480"
    assert finding.about == (HOG,)
    assert finding.suggests == ("cap_concurrency",)


def test_a_trend_of_few_or_wild_points_raises_nothing() -> None:
    assert only(scene(metrics(claimed(400, 500, 600, 700)))) is None, "four points are low confidence"
    assert only(scene(metrics(claimed(*([300.0] * 7 + [700.0] * 7))))) is None, "a step is no trend"
    small = [10.0 + 15 * i for i in range(15)]  # 220 of 1,000: below the share from which it is carried on
    assert only(scene(metrics(claimed(*small)))) is None


def test_reservations_that_fill_the_account_are_a_remark() -> None:
    world = scene(
        reserved(orders_worker=850, thumbnailer=None),
        metrics(claimed(*[860.0] * 12), level(WORKER, *[20.0] * 60), level(HOG, 10)),
        unreserved=150,
    )
    finding = only(world)
    assert finding is not None
    assert finding.severity == "info", "10 of the 150 that are left are in use"
    evidence = dict(finding.evidence)
    assert evidence["unused_reservations"] == "orders-worker 850 (used 20)"
    assert evidence["released_by_these"] == 830
    assert finding.suggests == ("cap_concurrency", "restore_concurrency")
    fuller = metrics(claimed(*[990.0] * 12))
    critical = only(scene(reserved(orders_worker=850), fuller, unreserved=150))
    assert critical is not None
    assert critical.severity == "critical"


def test_a_functions_own_cap_is_its_owners_will() -> None:
    full = only(scene(reserved(orders_worker=20), metrics(level(WORKER, *[20.0] * 12))))
    assert full is not None
    assert (full.severity, full.target.key, full.suggests) == ("info", WORKER, ("restore_concurrency",))
    assert only(scene(reserved(orders_worker=2), metrics(level(WORKER, *[2.0] * 12)))) is None, "two is two"
    filling = [12.0 + 3 * i for i in range(12)]
    soon = only(scene(reserved(orders_worker=60), metrics(level(WORKER, *filling))))
    assert soon is not None
    assert soon.severity == "warning", "45 of 60, and 3 more each minute"


def test_static_limits_warn_at_most() -> None:
    facts = replace(function("f"), environment_bytes=4090, layers=5)
    finding = only(scene(functions=(facts,)))
    assert finding is not None
    assert (finding.severity, finding.suggests, finding.remedy) == ("warning", (), None)
    assert finding.title == "environment of f: 4090 of 4096 bytes (limit assumed), 100%"
    assert dict(finding.evidence)["limit_source"] == "documented default, assumed"
    layers = only(scene(functions=(replace(facts, environment_bytes=None),)))
    assert layers is not None
    assert layers.severity == "info", "all five layers are a fine state"


def test_what_other_detectors_say_is_not_said_twice() -> None:
    assert only(scene(metrics(points(WORKER, "Duration", [9900.0] * 5, "Maximum")))) is None


def test_it_does_not_flicker() -> None:
    world = scene(metrics(claimed(*[770.0] * 12)))
    assert only(world) is None
    (before,) = found(detect, scene(metrics(claimed(*[810.0] * 12))))
    (still,) = found(detect, world, (before,))
    assert still.severity == "warning"


def test_ranges_in_words() -> None:
    assert span_words((720, 2400)) == "12 to 40 min"
    assert span_words((720, float("inf"))) == "12 min at the soonest"
    assert span_words((600, 610)) == "10 min"
