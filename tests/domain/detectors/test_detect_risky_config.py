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

from lambdatop.domain.detectors.rules import risky_config as it
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

SAFE_QUEUE = queue(ORDERS, visibility_timeout_s=60, dlq_arn=queue(DLQ).arn, max_receive_count=5)
SAFE = mapping(partial_responses=True, last_modified=NOW - 9000)


def found(
    one: MappingFacts | None = SAFE,
    source: QueueFacts = SAFE_QUEUE,
    dlq: QueueFacts | None = None,
    *more: ev.Event,
    facts: FunctionFacts | None = None,
) -> list[Finding]:
    known = [
        ev.FunctionsListed(SCOPE, NOW, (facts or function(last_modified=NOW - 7000),)),
        ev.MappingsListed(SCOPE, NOW, (one,) if one else ()),
        ev.QueuesObserved(SCOPE, NOW, (source, *([dlq] if dlq else []))),
        *more,
    ]
    return list(it.detect(evaluation_context(fold_all(EMPTY_WORLD, known), NOW, PROMPT)))


def test_what_follows_the_advice_is_silent() -> None:
    assert found() == []
    assert found(SAFE, SAFE_QUEUE, queue(DLQ, retention_s=1_209_600)) == []


def test_one_finding_lists_all_risks_of_a_mapping() -> None:
    risky = mapping(max_concurrency=50, last_modified=NOW - 9000)
    source = queue(ORDERS, visibility_timeout_s=30, dlq_arn=queue(DLQ).arn, max_receive_count=3)
    short = queue(DLQ, retention_s=86_400)
    (finding,) = found(risky, source, short, ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 5),)))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.since) == ("info", MAPPING, NOW - 9000)
    assert [evidence[f"risk_{i}"] for i in range(1, 6)] == [
        "maxReceiveCount 3 < 5: throttling sends good messages away",
        "visibility 30 s < 6 x timeout 10 s",
        "no ReportBatchItemFailures: one bad message repeats its whole batch",
        "MaximumConcurrency 50 > reserved 5",
        "orders-dlq keeps 24 h, its source 4 d: messages vanish there",
    ]
    assert evidence["risks"] == 5
    assert finding.title == (
        "orders → orders-worker: maxReceiveCount 3 < 5: throttling sends good messages away (and 4 more)"
    )
    assert finding.formula.count("; ") == 4
    assert finding.about == (WORKER, ORDERS)
    assert finding.suggests == ("tune_trigger",)


def test_a_fifo_dlq_counts_from_the_move() -> None:
    assert found(SAFE, SAFE_QUEUE, queue(DLQ, retention_s=86_400, fifo=True)) == []


def test_a_stream_that_retries_for_ever() -> None:
    arn = "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"
    stream = mapping(source_arn=arn, source_kind="kinesis", partial_responses=True)
    (finding,) = found(stream)
    assert finding.title.endswith("infinite retry: a bad record blocks its shard until it expires")
    assert finding.about == (WORKER, Key(SCOPE, "stream", "clicks"))


def test_the_trigger_is_suggested_only_where_it_has_a_setting_for_a_risk() -> None:
    bare = queue(ORDERS, visibility_timeout_s=60)
    few = queue(ORDERS, visibility_timeout_s=60, dlq_arn=queue(DLQ).arn, max_receive_count=3)
    brief = queue(ORDERS, visibility_timeout_s=30, dlq_arn=queue(DLQ).arn, max_receive_count=5)
    for source in (bare, few, brief):
        assert [f.suggests for f in found(SAFE, source)] == [()]
    assert [f.suggests for f in found(mapping(last_modified=NOW - 9000))] == [()], "ReportBatchItemFailures"
    database = mapping(source_arn="arn:aws:rds:eu-central-1:111122223333:cluster:docs")
    database = replace(database, source_kind="documentdb", partial_responses=True)
    assert [f.suggests for f in found(database)] == [()], "AWS takes no limit of retries there"
    shard = "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"
    stream = mapping(source_arn=shard, source_kind="kinesis", partial_responses=True)
    assert [f.suggests for f in found(stream)] == [("tune_trigger",)]


NO_CONFIG = AsyncConfig()


def triggers(
    config: AsyncConfig | NotKnown = NO_CONFIG, loop: str | NotKnown = NOT_ASKED
) -> ev.TriggersObserved:
    return ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, config, (), loop),))


ASYNC = metrics(points(WORKER, "AsyncEventsReceived", [3.0] * 5))


def test_loop_detection_that_is_switched_off() -> None:
    (finding,) = found(None, SAFE_QUEUE, None, triggers(loop="Allow"))
    assert (finding.severity, finding.target.key, finding.since) == ("info", WORKER, NOW - 7000)
    assert finding.title == (
        "orders-worker: loop detection is switched off: Lambda stops no loop and publishes none"
    )
    assert finding.suggests == ("stop_recursion",)
    assert found(None, SAFE_QUEUE, None, triggers(loop="Terminate")) == []
    assert found(None, SAFE_QUEUE, None, triggers(loop=NOT_ASKED)) == []


def test_asynchronous_events_that_end_nowhere() -> None:
    (finding,) = found(None, SAFE_QUEUE, None, triggers(), ASYNC)
    assert dict(finding.evidence)["risk_1"] == (
        "no DLQ or on-failure destination: failed asynchronous events are discarded"
    )
    assert finding.suggests == (), "without retries they would be lost after the first failure"


def test_asynchronous_events_that_end_somewhere_or_do_not_come_are_silent() -> None:
    kept = triggers(AsyncConfig(on_failure_arn="arn:aws:sqs:eu-central-1:111122223333:failed"))
    assert found(None, SAFE_QUEUE, None, kept, ASYNC) == []
    letters = function(dlq_arn="arn:aws:sqs:eu-central-1:111122223333:failed")
    assert found(None, SAFE_QUEUE, None, triggers(), ASYNC, facts=letters) == []
    assert found(None, SAFE_QUEUE, None, triggers()) == []
    assert found(None, SAFE_QUEUE, None, ASYNC) == []
    denied = triggers(NotKnown("denied", "lambda:GetFunctionEventInvokeConfig"))
    assert found(None, SAFE_QUEUE, None, denied, ASYNC) == []


def test_a_dlq_that_keeps_messages_as_long_is_no_risk() -> None:
    assert found(SAFE, SAFE_QUEUE, queue(DLQ, retention_s=SAFE_QUEUE.retention_s)) == []
