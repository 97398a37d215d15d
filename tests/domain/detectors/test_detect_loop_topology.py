from __future__ import annotations

from fakes.worlds import DLQ, NOW, ORDERS, PROMPT, SCOPE, WORKER, function, mapping, metrics, points, queue

from lambdatop.domain.detectors.rules import loop_topology as it
from lambdatop.domain.facts.triggers import Edge, FunctionTriggers, Reference
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

HERE = f"{SCOPE.region}:{SCOPE.account}"
TABLE = f"arn:aws:dynamodb:{HERE}:table/orders"
BUS = f"arn:aws:events:{HERE}:event-bus/shop"
BILLING = Key(SCOPE, "function", "billing")
WORKER_ARN, BILLING_ARN = function().arn, function("billing").arn


def world(*more: ev.Event, references: tuple[Reference, ...] = ()) -> World:
    listed = ev.FunctionsListed(SCOPE, NOW, (function(references=references), function("billing")))
    return fold_all(EMPTY_WORLD, [listed, *more])


def wired(*edges: Edge) -> ev.WiringObserved:
    return ev.WiringObserved(SCOPE, NOW, "a place", edges)


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


THROUGH_BUS = (
    Edge(WORKER_ARN, BUS, "on-success destination"),
    Edge(BUS, WORKER_ARN, "rule paid"),
)
PAIR = (
    Edge(WORKER_ARN, BILLING_ARN, "on-success destination"),
    Edge(BILLING_ARN, BUS, "on-success destination"),
    Edge(BUS, WORKER_ARN, "rule paid"),
)


def test_a_certain_loop_that_aws_does_not_see_is_a_warning() -> None:
    (finding,) = found(world(wired(*THROUGH_BUS)))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert finding.title == "orders-worker: events loop without end, orders-worker → shop → orders-worker"
    assert evidence["via"] == "on-success destination, rule paid"
    assert (evidence["hops"], evidence["certain_hops"]) == (2, 2)
    assert evidence["stopped_by_aws"] == "AWS does not detect loops through EventBridge"
    assert finding.suggests == ("disable_rule",)
    assert finding.formula.startswith("2 hops lead from orders-worker back to it, 2 of them certain; ")


def test_the_ordinary_function_that_names_its_table_is_information() -> None:
    seen = world(
        ev.MappingsListed(SCOPE, NOW, (mapping(source_arn=f"{TABLE}/stream/2027", source_kind="dynamodb"),)),
        references=(Reference("TABLE", TABLE),),
    )
    (finding,) = found(seen)
    assert finding.severity == "info"
    assert finding.about == (WORKER,)
    assert dict(finding.evidence)["certain_hops"] == 1
    assert "could loop" in finding.title


def test_a_loop_that_aws_stops_is_information_unless_detection_is_off() -> None:
    mapped = ev.MappingsListed(SCOPE, NOW, (mapping(),))
    queued = wired(Edge(WORKER_ARN, queue(ORDERS).arn, "on-success destination"))
    (finding,) = found(world(mapped, queued))
    assert finding.severity == "info"
    assert "stops it after about 16 hops" in str(dict(finding.evidence)["stopped_by_aws"])
    off = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, recursive_loop="Allow"),))
    (finding,) = found(world(mapped, queued, off))
    assert finding.severity == "warning"
    assert finding.suggests == ("disable_trigger", "stop_recursion")
    assert finding.about == (WORKER, ORDERS)


def test_a_way_that_only_failures_take_is_information() -> None:
    seen = world(
        ev.MappingsListed(
            SCOPE,
            NOW,
            (mapping(source_arn=queue(DLQ).arn, on_failure_arn=BUS),),
        ),
        wired(Edge(BUS, WORKER_ARN, "rule failed")),
    )
    (finding,) = found(seen)
    assert finding.severity == "info"
    assert dict(finding.evidence)["judgement"] == "only failures travel this way"


def test_a_disabled_mapping_makes_it_information() -> None:
    edge = Edge(WORKER_ARN, TABLE, "on-success destination")
    off = mapping(source_arn=TABLE, source_kind="dynamodb", state="Disabled")
    (finding,) = found(world(ev.MappingsListed(SCOPE, NOW, (off,)), wired(edge)))
    assert (finding.severity, dict(finding.evidence)["judgement"]) == (
        "info",
        "a disabled mapping interrupts it",
    )
    on = mapping(source_arn=TABLE, source_kind="dynamodb")
    assert [f.severity for f in found(world(ev.MappingsListed(SCOPE, NOW, (on,)), wired(edge)))] == [
        "warning"
    ]


def test_the_busiest_function_stands_for_the_loop_and_goes_on_standing_for_it() -> None:
    busy = metrics(points(BILLING, "Invocations", [50.0] * 10), points(WORKER, "Invocations", [5.0] * 10))
    (first,) = found(world(wired(*PAIR), busy))
    assert first.target.key == BILLING
    assert dict(first.evidence)["path"] == "billing → shop → orders-worker → billing"
    turned = metrics(points(BILLING, "Invocations", [5.0] * 10), points(WORKER, "Invocations", [50.0] * 10))
    assert [f.target.key for f in found(world(wired(*PAIR), turned))] == [WORKER]
    assert [f.target.key for f in found(world(wired(*PAIR), turned), (first,))] == [BILLING]


def test_a_loop_that_matters_hides_the_possible_one_of_the_same_function() -> None:
    known = world(
        ev.MappingsListed(SCOPE, NOW, (mapping(),)),
        wired(*THROUGH_BUS),
        references=(Reference("QUEUE", queue(ORDERS).arn),),
    )
    (finding,) = found(known)
    assert finding.severity == "warning"
    assert dict(finding.evidence)["path"] == "orders-worker → shop → orders-worker"


def test_without_a_cycle_there_is_nothing() -> None:
    assert found(world(ev.MappingsListed(SCOPE, NOW, (mapping(on_failure_arn=queue(DLQ).arn),)))) == []
    assert found(EMPTY_WORLD) == []
