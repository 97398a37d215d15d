from __future__ import annotations

from fakes.streamscene import CLICKS, END, fed, kinesis, rising, stream
from fakes.worlds import MAPPING, NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points

from lambdatop.domain.detectors.rules import stream_lag as it
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

CLUSTER = f"arn:aws:kafka:{SCOPE.region}:{SCOPE.account}:cluster/shop/0f1e2d3c"
CLIMB = [float(100 * i) for i in range(1, 11)]


def kafka(
    lag: list[float],
    runs: list[float] | None = None,
    *,
    end: float = END,
    per_mapping: list[float] | None = None,
    fed_by: MappingFacts | None = None,
) -> World:
    data = [
        points(WORKER, "OffsetLag", lag, "Maximum", end=end),
        points(WORKER, "Invocations", [60.0] * 10 if runs is None else runs, end=end),
    ]
    if per_mapping is not None:
        data.append(points(MAPPING, "MaxOffsetLag", per_mapping, "Maximum", end=end))
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.MappingsListed(SCOPE, NOW, (fed_by or mapping(source_arn=CLUSTER, source_kind="kafka"),)),
            metrics(*data),
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_kafka_lag_that_climbs_while_invocations_are_flat() -> None:
    (finding,) = found(kafka(CLIMB))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", MAPPING)
    assert finding.title == "orders-worker falls behind shop: 1000 records, +100 a minute"
    assert (evidence["offset_lag"], evidence["lag_growth_per_min"], evidence["metric"]) == (
        1000,
        100,
        "OffsetLag",
    )
    assert evidence["invocations"] == 600
    assert finding.formula == "OffsetLag 100 -> 1000 >= 100 over 10 min, invocations 300 -> 300 by halves"
    assert (finding.since, finding.suggests, finding.about) == (END - 600, ("tune_trigger",), (WORKER,))


def test_the_mappings_own_lag_is_preferred() -> None:
    (finding,) = found(kafka([5.0] * 10, per_mapping=CLIMB))
    assert dict(finding.evidence)["metric"] == "MaxOffsetLag"
    assert found(kafka(CLIMB, per_mapping=[5.0] * 10)) == []


def test_a_consumer_that_scales_with_its_load_is_silent() -> None:
    assert found(kafka(CLIMB, [60.0] * 5 + [120.0] * 5)) == []


def test_bursts_and_rebalances_are_silent() -> None:
    assert found(kafka([10.0] * 3 + [2000.0] * 7)) == []  # a step
    assert found(kafka([10.0] * 4 + [500.0, 900.0, 1300.0] + [10.0] * 3)) == []  # a hump
    assert found(kafka([10.0, 12.0, 9.0, 11.0, 10.0, 12.0, 11.0, 400.0, 800.0, 1200.0])) == []  # still on
    assert found(kafka(list(reversed(CLIMB)))) == []  # it drains
    assert found(kafka([1_000_000.0 + x / 100 for x in CLIMB])) == []  # it wavers


def test_kafka_floors_hysteresis_and_final_minutes() -> None:
    small = [v / 11 for v in CLIMB]
    assert found(kafka(small)) == []
    (before,) = found(kafka(CLIMB))
    assert len(found(kafka(small), (before,))) == 1
    assert found(kafka([*CLIMB[:4], 5.0, 5.0, *[0.0] * 3, 9000.0], end=NOW)) == []
    assert len(found(kafka([*CLIMB, 0.0], [60.0] * 11, end=NOW))) == 1
    assert found(kafka(CLIMB[:5])) == []
    assert found(kafka([], [])) == []
    assert found(kafka(CLIMB, [])) == []


def test_a_disabled_consumer_does_not_lag() -> None:
    off = mapping(source_arn=CLUSTER, source_kind="kafka", state="Disabled")
    assert found(kafka(CLIMB, fed_by=off)) == []


SLOW = rising(10, start_ms=60_000.0, step_ms=20_000.0)


def test_a_stream_consumer_that_succeeds_too_slowly() -> None:
    (finding,) = found(fed(SLOW, stream(), errors=0.0))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.about) == ("warning", MAPPING, (WORKER, CLICKS))
    assert (evidence["iterator_age_ms"], evidence["slope_ms_per_min"]) == (240_000, 20_000)
    assert evidence["expires_in_s"] == (86_400 - 240) * 3  # it falls back by a third of real time
    left = "records expire at 24 h, in 2 d 23 h at this pace"
    assert finding.title == f"orders-worker is too slow for clicks: 4 min behind; {left}"
    assert finding.formula == (
        "iterator age grows 20000 ms/min >= 3000 to 240 s >= 60 s; 0 errors / 100 invocations <= 0.1"
    )


def test_half_of_the_retention_is_critical() -> None:
    old = rising(10, start_ms=50_000_000.0, step_ms=20_000.0)
    assert [f.severity for f in found(fed(old, stream(), errors=0.0))] == ["critical"]
    assert [f.severity for f in found(fed(old, errors=0.0))] == ["warning"]  # retention unknown


def test_a_blocked_shard_is_not_a_slow_consumer() -> None:
    assert found(fed(rising(10), stream(), errors=10.0)) == []
    throttled = metrics(points(WORKER, "Throttles", [1.0] * 10, end=END))
    assert found(fed(rising(10), stream(), throttled, errors=0.0)) == []
    # The same age without a failure is a consumer that does next to nothing.
    assert len(found(fed(rising(10), stream(), errors=0.0))) == 1


def test_what_is_no_lag_of_a_stream() -> None:
    assert found(fed(SLOW, stream(), errors=2.0)) == []
    assert found(fed([v / 5 for v in SLOW], stream(), errors=0.0)) == []
    assert found(fed(list(reversed(rising(10, 3_600_000.0))), stream(), errors=0.0)) == []
    assert found(fed([60_000.0, 120_000.0, 180_000.0] * 3, stream(), errors=0.0)) == []
    assert found(fed([200_000.0] * 10, stream(), errors=0.0)) == []
    assert found(fed(SLOW, stream(), errors=0.0, mappings=(kinesis(state="Disabled"),))) == []
    assert found(fed([], stream(), errors=0.0)) == []


def test_a_standing_lag_clears_later_than_it_began() -> None:
    slower = rising(10, start_ms=240_000.0, step_ms=2_600.0)
    assert found(fed(slower, stream(), errors=0.0)) == []
    (before,) = found(fed(SLOW, stream(), errors=0.0))
    assert len(found(fed(slower, stream(), errors=0.0), (before,))) == 1


def test_a_saw_tooth_of_batching_windows_is_no_lag() -> None:
    teeth = [60_000.0 * (n % 5) + 20_000 for n in range(20)]
    for last in range(10, 20):
        assert found(fed(teeth[last - 10 : last], stream(), errors=0.0)) == []


def test_records_wait_for_the_batching_window_before_they_are_late() -> None:
    waits = (kinesis(batching_window_s=200),)
    assert found(fed(SLOW, stream(), errors=0.0, mappings=waits)) == []
    later = rising(10, start_ms=90_000.0, step_ms=20_000.0)
    assert len(found(fed(later, stream(), errors=0.0, mappings=waits))) == 1


def test_a_bulk_that_is_worked_off_within_minutes_is_no_lag() -> None:
    bulk = [500.0] * 10 + [500.0 + 40_000.0 * n for n in range(1, 7)] + [200_000.0, 160_000.0]
    for last in range(10, len(bulk) + 1):
        assert found(fed(bulk[last - 10 : last], stream(), errors=0.0)) == []


def test_a_kafka_consumer_that_fails_since_the_lag_grows_is_not_slow() -> None:
    lag = [10.0] * 4 + [400.0 * n for n in range(1, 7)]
    fails = metrics(points(WORKER, "Errors", [0.0] * 4 + [10.0] * 6, end=END))
    world = kafka(lag)
    assert len(found(world)) == 1
    assert found(fold_all(world, [fails])) == []
