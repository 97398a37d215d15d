from __future__ import annotations

import pytest
from fakes.streamscene import CLICKS, CLICKS_ARN, DAY, END, TABLE, TABLE_STREAM, fed, kinesis, rising, stream
from fakes.worlds import MAPPING, NOW, PROMPT, SCOPE, WORKER, metrics, points
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import blocked_shard as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.figures.stream_lag import rise
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import World

OTHER = Key(SCOPE, "function", "archiver")
OTHER_MAPPING = Key(SCOPE, "mapping", "0f1e2d3c-0000-4000-8000-000000000002")


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_an_age_that_grows_with_the_clock_while_everything_fails() -> None:
    (finding,) = found(fed([100.0, 300.0, *rising(8)], stream()))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.target.arn) == ("warning", CLICKS, CLICKS_ARN)
    left = "records expire in 23 h 52 min at the latest"
    assert finding.title == f"clicks is blocked at orders-worker, 8 min behind; {left}"
    assert (evidence["slope_ms_per_min"], evidence["points"]) == (59_980, 9)
    assert (evidence["iterator_age_ms"], evidence["retention_s"]) == (480_000, DAY)
    assert evidence["expires_in_s"] == DAY - 480
    assert (evidence["errors"], evidence["invocations"]) == (90, 90)
    assert (evidence["retries"], evidence["on_failure"]) == ("infinite", "none")
    assert finding.since == END - 480
    assert finding.formula == (
        "iterator age grows 59980 ms/min >= 50000 over 9 points; 90 errors / 90 invocations = 1.00; "
        "480 s / 86400 s = 0.01 <= 0.5"
    )
    assert finding.suggests == ("disable_trigger", "tune_trigger")
    assert finding.about == (WORKER, MAPPING)


def test_past_half_of_the_retention_it_is_critical() -> None:
    old = rising(10, start_ms=0.5 * DAY * 1000)
    (finding,) = found(fed(old, stream()))
    assert finding.severity == "critical"
    assert dict(finding.evidence)["expires_in_s"] == DAY / 2 - 540
    (first,) = found(fed(rising(10, start_ms=0.48 * DAY * 1000), stream()))
    assert first.severity == "warning"
    # While it stands as critical, it stays so down to 0.8 of the threshold.
    assert [f.severity for f in found(fed(rising(10, start_ms=0.45 * DAY * 1000), stream()), (finding,))] == [
        "critical"
    ]


def test_an_unknown_retention_is_said_to_be_unknown() -> None:
    (finding,) = found(fed(rising(8)))
    assert dict(finding.evidence)["expires_in_s"] is None
    assert finding.title.endswith("how long records are kept is not known (not asked yet)")
    assert finding.severity == "warning"


def test_a_dynamodb_stream_keeps_its_records_for_a_day() -> None:
    table = kinesis(source_arn=TABLE_STREAM, source_kind="dynamodb")
    (finding,) = found(fed(rising(8), mappings=(table,)))
    assert finding.target.key == TABLE
    assert finding.target.arn.endswith(":table/orders")
    assert dict(finding.evidence)["expires_in_s"] == DAY - 480


def test_where_aws_takes_no_limit_of_retries_the_trigger_is_not_tuned() -> None:
    docs = kinesis(source_arn="arn:aws:rds:eu-central-1:111122223333:cluster:docs", source_kind="documentdb")
    (finding,) = found(fed(rising(8), mappings=(docs,)))
    assert finding.suggests == ("disable_trigger",)


def test_a_maximum_record_age_comes_before_the_retention() -> None:
    tuned = kinesis(max_record_age_s=900, max_retry_attempts=100, on_failure_arn="arn:aws:sqs:r:1:bad-clicks")
    (finding,) = found(fed(rising(8), stream(), mappings=(tuned,)))
    evidence = dict(finding.evidence)
    assert (evidence["expires_in_s"], evidence["max_record_age_s"], evidence["retries"]) == (420, 900, 100)
    assert evidence["on_failure"] == "queue bad-clicks"
    assert finding.severity == "critical"  # 480 s of 900 s


def test_below_the_floors_it_is_silent() -> None:
    assert found(fed(rising(4), stream())) == []
    assert found(fed(rising(8, step_ms=49_000), stream())) == []
    assert found(fed(rising(8), stream(), errors=9.0)) == []
    assert len(found(fed(rising(8), stream(), errors=9.1))) == 1


def test_a_shard_that_stands_still_needs_one_error_only() -> None:
    """A batch that runs into its timeout fails once in minutes: nothing behind it moves meanwhile."""
    (finding,) = found(fed(rising(10), stream(), errors=1.0))
    assert finding.formula.split("; ")[1] == "10 errors / 100 invocations = 0.10"
    assert found(fed(rising(10), stream(), errors=0.0)) == []
    assert found(fed(rising(10, step_ms=57_000), stream(), errors=1.0)) == []


def test_a_throttle_counts_as_an_error() -> None:
    throttled = metrics(points(WORKER, "Throttles", [2.0] * 8, end=END))
    (finding,) = found(fed(rising(8), stream(), throttled, errors=0.0))
    assert finding.formula.split("; ")[1] == "16 throttles > 0"


def test_a_throttled_function_without_ages_is_seen_at_its_stream() -> None:
    throttled = metrics(
        points(WORKER, "Throttles", [5.0] * 8, end=END),
        points(CLICKS, "GetRecords.IteratorAgeMilliseconds", rising(8), "Maximum"),
    )
    (finding,) = found(fed([], stream(), throttled))
    assert finding.target.key == CLICKS
    assert found(fed([], stream(), metrics(points(WORKER, "Throttles", [5.0] * 8, end=END)))) == []


def test_a_replay_whose_age_falls_is_silent() -> None:
    assert found(fed(list(reversed(rising(10, start_ms=3_600_000.0))), stream())) == []


def test_batching_windows_make_a_saw_tooth_which_is_silent() -> None:
    tooth = [60_000.0, 120_000.0, 180_000.0, 240_000.0, 300_000.0]
    assert found(fed([*tooth, *tooth], stream())) == []
    assert found(fed([*tooth[1:], *tooth, 40_000.0], stream())) == []


def test_a_shard_that_goes_on_again_clears_at_once() -> None:
    (before,) = found(fed(rising(10), stream()))
    assert found(fed([*rising(7), 300.0, 200.0, 250.0], stream()), (before,)) == []


def test_a_disabled_mapping_blocks_nothing() -> None:
    assert found(fed(rising(8), stream(), mappings=(kinesis(state="Disabled"),))) == []


def test_healthy_shards_between_do_not_hide_the_stuck_one() -> None:
    mixed = [60_000.0, 120_000.0, 400.0, 240_000.0, 300_000.0, 300.0, 420_000.0, 480_000.0]
    assert len(found(fed(mixed, stream(shards=4), errors=2.0))) == 1
    # With a single shard a fifth of errors is no block.
    assert found(fed(mixed, stream(shards=1), errors=2.0)) == []


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    assert found(fed([*[100.0] * 4, *rising(4)], stream(), end=NOW)) == []
    assert len(found(fed([*[100.0] * 4, *rising(4)], stream()))) == 1
    assert len(found(fed([*rising(8), 100.0], stream(), end=NOW))) == 1
    late = replace(PROMPT, metrics=MetricSettings(publish_delay_s=120.0))
    assert list(it.detect(evaluation_context(fed([*[100.0] * 4, *rising(5)], stream()), NOW, late))) == []


def test_a_standing_finding_is_measured_against_less() -> None:
    slower = fed(rising(8, step_ms=42_000), stream())
    assert found(slower) == []
    (before,) = found(fed(rising(8), stream()))
    assert len(found(slower, (before,))) == 1


def test_missing_data_is_silent() -> None:
    assert found(fed([], stream())) == []
    ages_only = metrics(
        points(WORKER, "Errors", [0.0] * 8, end=END), points(WORKER, "Invocations", [], end=END)
    )
    assert found(fed(rising(8), stream(), ages_only)) == []


def test_two_consumers_of_one_stream_are_one_finding() -> None:
    second = kinesis(key=OTHER_MAPPING, function=OTHER, function_arn="arn:aws:lambda:r:1:function:archiver")
    both = metrics(
        points(OTHER, "IteratorAge", rising(8, 30_000.0), "Maximum", end=END),
        points(OTHER, "Invocations", [1.0] * 8, end=END),
        points(OTHER, "Errors", [1.0] * 8, end=END),
    )
    (finding,) = found(fed(rising(8), stream(), both, mappings=(kinesis(), second)))
    assert dict(finding.evidence)["function"] == "archiver and orders-worker"
    assert set(finding.about) == {WORKER, OTHER, MAPPING, OTHER_MAPPING}
    (alone,) = found(fed(rising(8), stream(), mappings=(kinesis(), second)))
    assert dict(alone.evidence)["not_affected"] == "archiver"


def test_streams_of_one_function_share_the_metric_and_are_both_named() -> None:
    second = kinesis(key=OTHER_MAPPING, source_arn=CLICKS_ARN.replace("clicks", "views"))
    (finding,) = found(fed(rising(8), stream(), mappings=(kinesis(), second)))
    assert dict(finding.evidence)["candidates"] == "clicks, views"
    problem = replace(second, last_result="PROBLEM: Function call failed")
    (sure,) = found(fed(rising(8), stream(), mappings=(kinesis(), problem)))
    assert (sure.target.name, dict(sure.evidence)["candidates"]) == ("views", None)


def test_a_replay_that_gets_stuck_began_when_its_age_began_to_grow() -> None:
    replay = [7_200_000.0, 7_000_000.0, 6_800_000.0, *rising(7, start_ms=6_900_000.0)]
    (finding,) = found(fed(replay, stream()))
    assert finding.since == END - 8 * 60
    long = [100.0] * 5 + rising(25)
    (older,) = found(fed(long, stream()))
    assert older.since == END - 25 * 60


@given(st.lists(st.floats(0, 1e7), max_size=12))
def test_a_rise_is_made_of_new_heights(values: list[float]) -> None:
    seen = rise(tuple((60.0 * i, v) for i, v in enumerate(values)), 50_000.0, 5)
    if seen is not None:
        assert seen.age_ms == max(values)
        assert 50_000.0 <= seen.slope <= 120_000.0
        assert seen.points >= 5
        assert seen.last >= 60.0 * (len(values) - 3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_late_points_and_repeats_change_nothing(order: tuple[int, ...]) -> None:
    whole = fed(rising(8), stream())
    parts = [
        metrics(points(WORKER, "IteratorAge", rising(8), "Maximum", end=END)),
        metrics(points(WORKER, "Errors", [10.0] * 8, end=END)),
        metrics(points(WORKER, "Invocations", [10.0] * 8, end=END)),
    ]
    again = whole
    for i in (*order, *order):
        again = fold(again, parts[i])
    assert found(again) == found(whole)
