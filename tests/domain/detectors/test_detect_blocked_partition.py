from __future__ import annotations

from fakes.streamscene import END
from fakes.worlds import MAPPING, NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points

from lambdatop.domain.detectors.rules import blocked_partition as it
from lambdatop.domain.detectors.rules import stream_lag
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

CLUSTER = f"arn:aws:kafka:{SCOPE.region}:{SCOPE.account}:cluster/shop/0f1e2d3c"
CLIMB = [float(100 * i) for i in range(1, 11)]


def kafka(**facts: object) -> MappingFacts:
    return mapping(source_arn=CLUSTER, source_kind="kafka", part_of_source="orders", **facts)


def world(
    lag: list[float],
    errors: float,
    own: list[float] | None = None,
    fed_by: MappingFacts | None = None,
) -> World:
    """Return ten minutes of twelve runs a minute, of which so many fail; `own` is the mapping's own count."""
    data = [
        points(WORKER, "OffsetLag", lag, "Maximum", end=END),
        points(WORKER, "Invocations", [12.0] * 10, end=END),
        points(WORKER, "Errors", [errors] * 10, end=END),
    ]
    if own is not None:
        data.append(points(MAPPING, "InvokeErrorCount", own, end=END))
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.MappingsListed(SCOPE, NOW, (fed_by or kafka(),)),
            metrics(*data),
        ],
    )


def found(seen: World) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT)))


def test_a_lag_that_climbs_while_every_run_fails() -> None:
    (finding,) = found(world(CLIMB, 12))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.about) == ("warning", MAPPING, (WORKER,))
    assert finding.title == (
        "shop/orders is blocked at orders-worker, 1,000 records behind; "
        "repeated until the record expires; when is not known (lambdatop does not read it)"
    )
    assert (evidence["offset_lag"], evidence["retries"], evidence["on_failure"]) == (1000, "infinite", "none")
    assert finding.formula == "OffsetLag 100 -> 1000 >= 100; 120 errors / 120 invocations = 1.00 > 0.9"
    assert finding.suggests == ("disable_trigger", "tune_trigger")


def test_it_is_not_called_slow_as_well() -> None:
    assert list(stream_lag.detect(evaluation_context(world(CLIMB, 12), NOW, PROMPT))) == []
    assert list(stream_lag.detect(evaluation_context(world(CLIMB, 0), NOW, PROMPT))) != []


def test_what_aws_does_with_a_destination_and_no_limit() -> None:
    told = kafka(on_failure_arn=f"arn:aws:s3:::{'lost'}")
    (finding,) = found(world(CLIMB, 12, fed_by=told))
    assert finding.title.endswith("until 10 retries, then bucket lost")


def test_a_consumer_that_does_not_fail_is_not_blocked() -> None:
    assert found(world(CLIMB, 0)) == []
    assert found(world(CLIMB, 10)) == []  # 83 % of its runs


def test_a_lag_that_does_not_climb_blocks_nothing() -> None:
    assert found(world([1000.0] * 10, 12)) == []
    assert found(world([9.0 * n for n in range(1, 11)], 12)) == []
    assert found(world([], 12)) == []


def test_one_partition_of_several() -> None:
    """Its own count of failed batches shows it where other partitions succeed."""
    (finding,) = found(world(CLIMB, 2, own=[1.0] * 10))
    assert finding.formula.endswith("20 errors / 120 invocations and InvokeErrorCount > 0 in each minute")
    assert found(world(CLIMB, 2, own=[1.0] * 5 + [0.0] + [1.0] * 4)) == []
    assert found(world(CLIMB, 2, own=[1.0] * 4)) == []


def test_a_disabled_mapping_is_not_tried() -> None:
    assert found(world(CLIMB, 12, fed_by=kafka(state="Disabled"))) == []
    assert found(world(CLIMB, 12, fed_by=mapping())) == []
