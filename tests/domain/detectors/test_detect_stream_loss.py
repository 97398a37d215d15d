from __future__ import annotations

from fakes.streamscene import CLICKS, END, kinesis
from fakes.worlds import DLQ, MAPPING, NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points, queue
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import stream_loss as it
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

WITH_END = kinesis(on_failure_arn=queue(DLQ).arn)


def world(*data: ev.MetricPoints, fed: MappingFacts = WITH_END) -> World:
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.MappingsListed(SCOPE, NOW, (fed,)),
            metrics(*data),
        ],
    )


def dropped(values: list[float], end: float = NOW) -> ev.MetricPoints:
    return points(MAPPING, "DroppedEventCount", values, end=end)


def handed(values: list[float], end: float = NOW) -> ev.MetricPoints:
    return points(MAPPING, "OnFailureDestinationDeliveredEventCount", values, end=end)


def undelivered(values: list[float], end: float = END) -> ev.MetricPoints:
    return points(WORKER, "DestinationDeliveryFailures", values, end=end)


def found(seen: World) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT)))


def test_dropped_records_are_lost() -> None:
    (finding,) = found(world(dropped([0.0, 0.0, 3.0, 4.0]), fed=kinesis()))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.since) == ("critical", MAPPING, NOW - 120)
    assert finding.title == "clicks: 7 records dropped before orders-worker processed them"
    assert (evidence["dropped"], evidence["handed_over"], evidence["destination"]) == (7, 0, "nowhere")
    assert finding.formula == "7 dropped + 0 handed over + 0 undelivered > 0 over 5 min"
    assert finding.about == (WORKER, CLICKS)


def test_records_handed_over_are_not_lost() -> None:
    (finding,) = found(world(handed([0.0, 5.0])))
    assert finding.severity == "warning"
    assert finding.title == "clicks: 5 records handed to queue orders-dlq without success"


def test_a_destination_that_cannot_be_reached_loses_them() -> None:
    (finding,) = found(world(undelivered([1.0, 1.0])))
    assert (finding.severity, finding.since) == ("critical", END - 120)
    assert dict(finding.evidence)["delivery_failures"] == 2


def test_a_record_whose_failure_record_was_not_delivered_counts_once() -> None:
    """Each failed delivery is in DroppedEventCount, too (monitoring-metrics-types of the developer guide)."""
    (finding,) = found(world(dropped([7.0]), undelivered([2.0])))
    assert finding.title == "clicks: 7 records dropped before orders-worker processed them"
    assert finding.formula == "7 dropped + 0 handed over > 0, 2 failed deliveries among them over 5 min"


def test_what_only_the_function_counts_is_put_down_to_one_of_its_mappings() -> None:
    second = replace(WITH_END, key=MAPPING._replace(id="second"), source_arn=WITH_END.source_arn + "-b")
    seen = fold(world(undelivered([2.0])), ev.MappingsListed(SCOPE, NOW, (second, WITH_END)))
    (finding,) = found(seen)
    assert finding.target.key == MAPPING
    carts = "arn:aws:rds:eu-central-1:111122223333:cluster:carts"
    first = mapping(source_arn=carts, source_kind="documentdb")
    documents = (replace(first, key=MAPPING._replace(id="second"), source_arn=carts + "-b"), first)
    large = world(points(WORKER, "OversizedRecordCount", [2.0], end=END), fed=first)
    assert len(found(fold(large, ev.MappingsListed(SCOPE, NOW, documents)))) == 1


def test_asynchronous_deliveries_are_somebody_elses() -> None:
    seen = world(undelivered([2.0]), points(WORKER, "AsyncEventsReceived", [9.0], end=END))
    assert found(seen) == []
    assert found(world(undelivered([2.0]), fed=kinesis())) == []


def test_queues_have_no_such_metric() -> None:
    assert found(world(dropped([5.0]), fed=mapping())) == []


def test_only_final_minutes_of_the_window_count() -> None:
    assert found(world(dropped([5.0], end=NOW + 60))) == []
    assert found(world(dropped([5.0, *[0.0] * 5]))) == []
    assert len(found(world(dropped([5.0, *[0.0] * 4])))) == 1
    assert len(found(world(dropped([5.0, *[0.0] * 4, 0.0], end=NOW + 60)))) == 1
    assert found(world(undelivered([5.0], end=NOW))) == []


def test_missing_data_is_silent() -> None:
    assert found(world()) == []
    assert found(world(dropped([]), handed([]))) == []


def test_changes_of_documentdb_that_are_too_large_are_lost() -> None:
    """Lambda drops changes above 6 MB (Lambda developer guide, "Types of metrics for Lambda functions")."""
    fed = mapping(source_arn="arn:aws:rds:eu-central-1:111122223333:cluster:carts", source_kind="documentdb")
    (finding,) = found(world(points(WORKER, "OversizedRecordCount", [0.0, 2.0], end=END), fed=fed))
    assert finding.severity == "critical"
    assert finding.title == "carts: 2 changes dropped before orders-worker processed them"
    assert finding.since == END - 60
    assert finding.suggests == (), "AWS takes no limit of retries there, and a pause lets none through"
