from __future__ import annotations

from fakes.worlds import (
    DLQ,
    MAPPING,
    NOW,
    ORDERS,
    PROMPT,
    SCOPE,
    WORKER,
    function,
    mapping,
    metrics,
    points,
    queue,
)
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import suspected_loop as it
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.triggers import Edge, FunctionTriggers, Reference
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

END = NOW - 60
HERE = f"{SCOPE.region}:{SCOPE.account}"
SEEDER = Key(SCOPE, "function", "seeder")
TABLE = f"arn:aws:dynamodb:{HERE}:table/orders"
TABLE_KEY = Key(SCOPE, "table", "orders")
TOPIC = f"arn:aws:sns:{HERE}:orders-topic"
NAMES_QUEUE = (Reference("OUTPUT_QUEUE_URL", queue(ORDERS).arn),)
RAMP = [8.0, 12.0, 18.0, 27.0, 41.0, 62.0]


def world(
    runs: list[float],
    sent: list[float] | None = None,
    deleted: list[float] | None = None,
    *more: ev.Event,
    references: tuple[Reference, ...] = NAMES_QUEUE,
    end: float = END,
    **mapped: object,
) -> World:
    """Return a World in which orders-worker polls orders, whose URL is in its environment.

    One message a batch.
    """
    data = [points(WORKER, "Invocations", runs, end=end)]
    data += [points(ORDERS, "NumberOfMessagesSent", runs if sent is None else sent, end=end)]
    data += [points(ORDERS, "NumberOfMessagesDeleted", runs if deleted is None else deleted, end=end)]
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(references=references), function("seeder"))),
            ev.MappingsListed(SCOPE, NOW, (mapping(**({"batch_size": 1} | mapped)),)),
            metrics(*data),
            *more,
        ],
    )


def table_fed(runs: list[float], *more: ev.Event) -> World:
    return world(
        runs,
        [],
        [],
        *more,
        references=(Reference("TABLE", TABLE),),
        source_arn=f"{TABLE}/stream/2027",
        source_kind="dynamodb",
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def wired(*edges: Edge) -> ev.WiringObserved:
    return ev.WiringObserved(SCOPE, NOW, "a place", edges)


def test_a_queue_that_takes_in_a_little_more_than_its_function_does() -> None:
    runs = [100.0] * 10
    (finding,) = found(world(runs, [105.0] * 10))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("critical", WORKER)
    assert evidence["path"] == "orders-worker → orders → orders-worker"
    assert evidence["self_fed"] == "orders: 1050 sent / 1000 deleted = 1.05 over 10 min"
    assert evidence["invocations_per_min"] == 100
    assert "AWS stops it after about 16 hops" in str(evidence["stopped_by_aws"])
    assert finding.title == (
        "orders-worker appears to invoke itself: orders-worker → orders → orders-worker, 100 invocations/min"
    )
    assert finding.formula == (
        "orders: 1050 sent / 1000 deleted = 1.05 over 10 min; 100 invocations/min >= 30"
    )
    assert finding.suggests == ("disable_trigger", "throttle_to_zero")
    assert finding.about == (WORKER, ORDERS)
    assert finding.since == END - 600


def test_steady_traffic_over_a_likely_hop_is_a_warning_a_certain_one_is_critical() -> None:
    assert [f.severity for f in found(world([100.0] * 10))] == ["warning"]
    sure = wired(Edge(function().arn, queue(ORDERS).arn, "on-success destination"))
    assert [f.severity for f in found(world([100.0] * 10, None, None, sure))] == ["critical"]


def test_a_young_loop_is_found_after_five_minutes() -> None:
    assert found(world([40.0] * 4, [44.0] * 4)) == []
    assert [f.severity for f in found(world([40.0] * 5, [44.0] * 5))] == ["critical"]


def test_growth_minute_by_minute() -> None:
    (finding,) = found(world(RAMP, [v * 1.6 for v in RAMP]))
    evidence = dict(finding.evidence)
    assert finding.severity == "critical"
    assert evidence["growth"] == (
        "8 -> 12 -> 18 -> 27 -> 41 -> 62 invocations/min, each at least 1.5 times the one before"
    )
    assert "self_fed" not in evidence
    assert found(world(RAMP[1:], RAMP[1:])) == []  # four steps
    assert found(world([v / 2.1 for v in RAMP])) == []  # 29.5 a minute


def test_a_ramp_that_its_source_explains_is_silent() -> None:
    # The same figures, but nothing says that the function writes to the queue.
    assert found(world(RAMP, references=())) == []
    assert found(world([100.0] * 10, references=())) == []
    incoming = metrics(points(Key(SCOPE, "stream", "clicks"), "IncomingRecords", RAMP, end=END))
    clicks = f"arn:aws:kinesis:{HERE}:stream/clicks"
    fed = world(RAMP, [], [], incoming, references=(), source_arn=clicks, source_kind="kinesis")
    assert found(fed) == []


def test_another_producer_that_explains_it_is_believed() -> None:
    topic = wired(Edge(TOPIC, queue(ORDERS).arn, "subscription"))
    assert found(world([100.0] * 10, None, None, topic)) == []
    assert found(world(RAMP, None, None, topic)) == []
    # A hop that is certain loops whatever enters.
    sure = wired(
        Edge(TOPIC, queue(ORDERS).arn, "subscription"),
        Edge(function().arn, queue(ORDERS).arn, "on-success destination"),
    )
    assert len(found(world([100.0] * 10, None, None, sure))) == 1
    # Failures and schedules do not bring so much.
    few = wired(
        Edge(queue(Key(SCOPE, "queue", "q")).arn, queue(ORDERS).arn, "redrive policy"),
        Edge(f"arn:aws:events:{HERE}:rule/tick", queue(ORDERS).arn, "rule tick"),
    )
    assert len(found(world([100.0] * 10, None, None, few))) == 1


def test_another_function_that_names_the_queue_counts_by_its_volume() -> None:
    knows = ev.FunctionsListed(
        SCOPE, NOW, (function(references=NAMES_QUEUE), function("seeder", references=NAMES_QUEUE))
    )
    quiet = metrics(points(SEEDER, "Invocations", [1.0] * 10, end=END))
    busy = metrics(points(SEEDER, "Invocations", [30.0] * 10, end=END))
    assert len(found(world([100.0] * 10, None, None, knows))) == 1
    assert len(found(world([100.0] * 10, None, None, knows, quiet))) == 1
    assert found(world([100.0] * 10, None, None, knows, busy)) == []


def test_asynchronous_callers_are_no_part_of_a_polled_loop() -> None:
    pushed = metrics(points(WORKER, "AsyncEventsReceived", [60.0] * 10, end=END))
    assert found(world([100.0] * 10, None, None, pushed)) == []


def test_a_backfill_is_silent() -> None:
    # The queue was full before, and little comes in.
    assert found(world([100.0] * 10, [70.0] * 10)) == []
    full = metrics(
        points(ORDERS, "ApproximateNumberOfMessagesVisible", [5000.0] * 8, "Maximum", end=END),
    )
    assert found(world(RAMP, RAMP, None, full)) == []
    assert found(world(RAMP, [9.0] * 6)) == []
    replay = metrics(
        points(WORKER, "IteratorAge", [3_600_000.0 - 600_000 * i for i in range(6)], "Maximum", end=END)
    )
    assert found(table_fed(RAMP, replay)) == []


def test_what_a_producer_that_runs_ahead_looks_like() -> None:
    assert found(world([100.0] * 10, [130.0] * 10)) == []


def test_repeats_and_other_consumers_are_no_loop() -> None:
    assert found(world([100.0] * 10, [50.0] * 10, [50.0] * 10)) == []
    assert found(world([100.0] * 10, [400.0] * 10, [400.0] * 10)) == []
    batches = world([100.0] * 10, [400.0] * 10, [400.0] * 10, batch_size=5)
    assert len(found(batches)) == 1


def test_concurrency_at_its_cap() -> None:
    capped = metrics(points(WORKER, "ConcurrentExecutions", [2.0] * 10, "Maximum", end=END))
    free = ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, None),))
    (finding,) = found(world([100.0] * 10, None, None, capped, free, max_concurrency=2))
    assert finding.severity == "critical"
    assert dict(finding.evidence)["at_cap"] == "concurrency 2 >= its cap 2 for 5 min"
    (below,) = found(world([100.0] * 10, None, None, capped, free, max_concurrency=3))
    assert below.severity == "warning"
    reserved = ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 2),))
    assert "at_cap" in dict(found(world([100.0] * 10, None, None, capped, reserved))[0].evidence)
    account = ev.AccountObserved(SCOPE, NOW, AccountFacts(2, 2, 1, 1, 1))
    assert "at_cap" in dict(found(world([100.0] * 10, None, None, capped, account, free))[0].evidence)
    assert "at_cap" not in dict(found(world([100.0] * 10, None, None, capped, account))[0].evidence)


def test_loops_that_aws_does_not_see_say_so() -> None:
    (finding,) = found(table_fed(RAMP))
    assert dict(finding.evidence)["stopped_by_aws"] == "AWS does not detect loops through DynamoDB"
    assert finding.title.endswith("62 invocations/min; AWS will not stop it")
    assert finding.about == (WORKER, TABLE_KEY)
    off = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, recursive_loop="Allow"),))
    (finding,) = found(world([100.0] * 10, None, None, off))
    assert finding.suggests == ("disable_trigger", "throttle_to_zero", "stop_recursion")
    assert "switched off" in str(dict(finding.evidence)["stopped_by_aws"])


def test_an_ordinary_function_of_a_table_with_steady_traffic_is_silent() -> None:
    assert found(table_fed([500.0] * 10)) == []
    assert found(table_fed([100.0, 120.0, 150.0, 190.0, 240.0, 300.0, 380.0])) == []


def test_a_loop_through_a_table_stands_while_its_traffic_does() -> None:
    (before,) = found(table_fed(RAMP))
    went_on = table_fed([*RAMP, *[62.0] * 8])
    assert found(went_on) == []
    assert len(found(went_on, (before,))) == 1
    assert found(table_fed([*RAMP, *[62.0] * 4, 31.0]), (before,)) == []


def test_a_jump_that_stays_where_one_event_makes_one() -> None:
    (finding,) = found(table_fed([20.0] * 30 + [3000.0] * 4))
    assert finding.formula == "20 -> 3000 a minute; 3000 invocations/min >= 30"
    assert dict(finding.evidence)["jump"] == "20 -> 3000 a minute"
    assert found(table_fed([20.0] * 30 + [150.0] * 4)) == []
    replay = points(WORKER, "IteratorAge", [4e6, 3e6, 2e6, 1e6], "Maximum", end=END)
    assert found(table_fed([20.0] * 30 + [3000.0] * 4, metrics(replay))) == []


def test_dead_letters_that_are_sent_back_while_they_go_on_failing() -> None:
    replayer = function("replayer", references=NAMES_QUEUE)
    listed = (
        ev.FunctionsListed(SCOPE, NOW, (function(), replayer)),
        ev.MappingsListed(
            SCOPE,
            NOW,
            (
                mapping(),
                mapping(
                    key=MAPPING._replace(id="b"),
                    function=replayer.key,
                    function_arn=replayer.arn,
                    source_arn=queue(DLQ).arn,
                ),
            ),
        ),
        ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, dlq_arn=queue(DLQ).arn), queue(DLQ))),
    )

    def sent_back(taken: float, failed: float) -> list[Finding]:
        of_worker = {"Invocations": [9.0] * 10, "Errors": [failed] * 10}
        data = [points(WORKER, name, values, end=END) for name, values in of_worker.items()]
        data.append(points(replayer.key, "Invocations", [taken] * 10, end=END))
        return found(fold_all(EMPTY_WORLD, [*listed, metrics(*data)]))

    (finding,) = sent_back(7.0, 4.0)
    assert (finding.severity, finding.target.key) == ("warning", replayer.key)
    assert finding.formula == "replayer takes dead letters 7 times a minute"
    assert sent_back(0.0, 4.0) == []
    assert sent_back(7.0, 0.0) == []


def test_disabled_mappings_and_ways_of_failures_do_not_loop() -> None:
    assert found(world([100.0] * 10, state="Disabled")) == []
    failing = wired(Edge(function().arn, queue(ORDERS).arn, "dead-letter queue"))
    assert found(world([100.0] * 10, None, None, failing, references=())) == []


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    assert found(world([100.0] * 5, end=NOW)) == []
    (before,) = found(world([100.0] * 6, [105.0] * 6))
    newer = world([*[100.0] * 6, 0.0], [*[105.0] * 6, 0.0], end=NOW)
    assert [f.formula for f in found(newer, (before,))] == [before.formula]
    late = replace(PROMPT, metrics=MetricSettings(publish_delay_s=300.0))
    assert list(it.detect(evaluation_context(world([100.0] * 5), NOW, late))) == []


def test_a_standing_loop_is_measured_against_less() -> None:
    slower = world([25.0] * 10, [26.0] * 10)
    assert found(slower) == []
    (before,) = found(world([100.0] * 10, [105.0] * 10))
    assert [f.severity for f in found(slower, (before,))] == ["critical"]
    assert found(world([23.0] * 10, [24.0] * 10), (before,)) == []


def test_missing_data_is_silent() -> None:
    assert found(world([])) == []
    assert found(world([100.0] * 10, [], [])) == []
    gap = world([100.0] * 10)
    holed = fold(gap, metrics(points(WORKER, "Invocations", [100.0] * 3, end=END)))
    assert found(holed) == []


def test_one_loop_of_two_functions_is_one_finding_at_the_busier() -> None:
    pair = wired(
        Edge(function().arn, function("seeder").arn, "on-success destination"),
        Edge(function("seeder").arn, queue(ORDERS).arn, "on-success destination"),
    )
    busy = metrics(points(SEEDER, "Invocations", [90.0] * 10, end=END))
    (finding,) = found(world([100.0] * 10, None, None, pair, busy, references=()))
    assert finding.target.key == WORKER
    assert finding.about == (WORKER, SEEDER, ORDERS)
