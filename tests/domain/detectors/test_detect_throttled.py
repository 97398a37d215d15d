from __future__ import annotations

import pytest
from fakes.queuescene import ACCOUNT, END, HOG, found, runs, scene
from fakes.worlds import NOW, SCOPE, WORKER, function, mapping, points

from lambdatop.domain.detectors.rules.throttled import detect
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import World


def refused(**more: list[float]) -> list[MetricPoints]:
    return runs(Throttles=[10.0] * 5, Invocations=[90.0] * 5, **more)


def level(values: list[float], key: Key = WORKER) -> MetricPoints:
    return points(key, "ConcurrentExecutions", values, "Maximum", END)


def claimed(value: float) -> MetricPoints:
    return points(ACCOUNT, "ClaimedAccountConcurrency", [value] * 6, "Maximum")


def reserved(value: int | None) -> ev.ConcurrencyObserved:
    return ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, value),))


def limit_of(finding: Finding) -> object:
    return dict(finding.evidence)["limit"]


def test_reserved_concurrency_bites() -> None:
    (finding,) = found(detect, scene([*refused(), level([5.0] * 5)], reserved(5)))
    assert (limit_of(finding), finding.severity) == ("reserved", "critical")
    assert finding.title == "orders-worker is throttled by its reserved concurrency 5"
    assert finding.formula == "50 throttles / (50 + 450 invocations) = 10.0% over 5 min; limit: reserved"
    assert finding.since == END - 300


def test_a_trigger_that_asks_for_more_than_reserved_is_self_inflicted() -> None:
    world = scene([*refused(), level([5.0] * 5)], reserved(5), fed=(mapping(max_concurrency=10),))
    (finding,) = found(detect, world)
    assert (limit_of(finding), finding.suggests[0]) == ("self-inflicted", "tune_trigger")


def test_a_pool_is_used_up_a_little_below_its_limit() -> None:
    for value, limit in ((99.0, "account pool"), (98.0, "unknown")):
        (finding,) = found(detect, scene([*refused(), level([4.0] * 5), claimed(value)], reserved(None)))
        assert limit_of(finding) == limit
    (finding,) = found(detect, scene([*refused(), level([4.0] * 5), claimed(99.0)], reserved(None)))
    assert finding.title == "orders-worker is throttled: 99 of the account's 100 are used"


def test_the_accounts_pool_names_who_takes_it() -> None:
    world = scene([*refused(), level([4.0] * 5), level([80.0] * 5, HOG), claimed(100.0)], reserved(None))
    world = fold(world, ev.ConcurrencyObserved(SCOPE, NOW, ((HOG, None),)))
    (finding,) = found(detect, world)
    assert limit_of(finding) == "account pool"
    assert finding.title == (
        "orders-worker is throttled: the account's 100 are used up; thumbnailer takes most of it"
    )
    assert dict(finding.evidence)["top_consumers"] == "thumbnailer, orders-worker"
    assert (finding.about, finding.remedy) == ((HOG,), HOG)
    assert finding.suggests == ("cap_concurrency", "throttle_to_zero")


def test_nobody_is_blamed_who_takes_an_equal_share() -> None:
    world = scene([*refused(), level([4.0] * 5), level([7.0] * 5, HOG), claimed(100.0)], reserved(None))
    (finding,) = found(detect, fold(world, ev.ConcurrencyObserved(SCOPE, NOW, ((HOG, None),))))
    assert finding.title == ("orders-worker is throttled: the account's 100 are used up by 2 functions alike")
    assert (dict(finding.evidence)["top_consumers"], finding.about, finding.remedy) == (None, (), None)
    assert finding.suggests == ("cap_concurrency",)


def test_the_request_rate_bites_although_concurrency_is_free() -> None:
    fast = [
        *runs(Throttles=[100.0] * 5, Invocations=[66_000.0] * 5, Duration=[660_000.0] * 5),
        level([20.0] * 5),
    ]
    (finding,) = found(detect, scene(fast, reserved(None)))
    assert (limit_of(finding), finding.severity) == ("request rate", "warning")
    slow = [*runs(Throttles=[100.0] * 5, Invocations=[66_000.0] * 5, Duration=[66e6] * 5), level([20.0] * 5)]
    assert [limit_of(f) for f in found(detect, scene(slow, reserved(None)))] == ["unknown"]


def test_a_step_of_thousands_is_the_scaling_rate() -> None:
    step = [*refused(), level([10.0, 10.0, 2600.0, 3000.0, 3000.0])]
    account = ev.AccountObserved(SCOPE, NOW + 1, AccountFacts(10_000, 10_000, 1 << 40, 1, 2))
    (finding,) = found(detect, scene(step, account, reserved(None)))
    assert limit_of(finding) == "scaling rate"


def test_zero_on_purpose_is_information_with_and_without_throttles() -> None:
    for data in (refused(), []):
        (finding,) = found(detect, scene(data, reserved(0)))
        assert (finding.severity, limit_of(finding)) == ("info", "disabled on purpose")
        assert (finding.title, finding.suggests) == (
            "orders-worker is throttled to zero",
            ("restore_concurrency",),
        )


def test_a_reservation_that_was_never_read_is_not_zero() -> None:
    assert found(detect, scene(runs(Invocations=[90.0] * 5))) == []


@pytest.mark.parametrize("throttles", [[0.0] * 5, []])
def test_silent_without_throttles(throttles: list[float]) -> None:
    assert found(detect, scene(runs(Throttles=throttles, Invocations=[90.0] * 5), reserved(None))) == []


def test_a_throttle_of_the_newest_minute_is_known_but_not_its_share() -> None:
    """Runs of that minute may still go on; a throttle has none."""
    newest = [points(WORKER, name, [50.0], end=NOW) for name in ("Throttles", "Invocations")]
    (finding,) = found(detect, scene(newest))
    assert finding.severity == "warning"
    assert found(detect, scene(newest[1:])) == []
    final = [*newest, *refused()]
    assert [f.severity for f in found(detect, scene(final, reserved(None)))] == ["critical"]


def test_a_critical_finding_stays_critical_while_it_hovers() -> None:
    worse = found(detect, scene(runs(Throttles=[6.0] * 5, Invocations=[94.0] * 5)))
    hovering = scene(runs(Throttles=[4.5] * 5, Invocations=[95.5] * 5))
    assert [f.severity for f in worse] == ["critical"]
    assert [f.severity for f in found(detect, hovering)] == ["warning"]
    assert [f.severity for f in found(detect, hovering, worse)] == ["critical"]


def on_instances(data: list[MetricPoints]) -> World:
    facts = (function(managed_instances=True), function("thumbnailer"))
    return scene(data, ev.FunctionsListed(SCOPE, NOW + 1, facts), reserved(None))


def test_on_managed_instances_the_metrics_of_the_reasons_say_what_is_used_up() -> None:
    reasons = {"CPUThrottles": [8.0] * 5, "MemoryThrottles": [0.0] * 5, "ConcurrencyThrottles": [2.0] * 5}
    (finding,) = found(detect, on_instances(refused(**reasons)))
    assert limit_of(finding) == "CPU of its environments"
    assert finding.title == (
        "orders-worker is throttled: the vCPUs of its execution environments are used up "
        "(CPU 40, concurrency 10)"
    )
    assert finding.suggests == ()


def test_on_managed_instances_no_reason_is_made_up_from_what_counts_elsewhere() -> None:
    steep = [*refused(CPUThrottles=[0.0] * 5), level([1.0, 9_000.0, 9_000.0, 9_000.0, 9_000.0])]
    (finding,) = found(detect, on_instances(steep))
    assert limit_of(finding) == "unknown"
    assert finding.title == (
        "orders-worker is throttled on managed instances, and no metric of them says why"
    )
