from __future__ import annotations

from lambdatop.demo.emulator.execution import Cause, Execution
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.ledger_sources import Depth, SourceLedger
from lambdatop.demo.emulator.metric_store import MetricKey, MetricStore, Scope, dimensions
from lambdatop.demo.emulator.timeline import Timeline
from lambdatop.demo.patches.queues import measure

NOW = 1_795_222_347.25
SCOPE = Scope("123456789012", "us-east-1")


def _read(store: MetricStore, namespace: str, name: str, stat: str, **pairs: str) -> list[float]:
    key = MetricKey(SCOPE, namespace, name, dimensions(pairs))
    return [value for _, value in store.read(key, stat, 60, 0, 2 * NOW, NOW)]


def _run(ledger: Ledger, request_id: str, **outcome: str) -> Execution:
    execution = Execution(SCOPE, "f", request_id, Cause("async"), started=NOW, **outcome)  # type: ignore[arg-type]
    ledger.begin(execution)
    return execution


def test_an_execution_counts_at_its_start_and_its_end() -> None:
    store = MetricStore(Timeline(12))
    ledger = Ledger(store, allocated=lambda scope: 7)
    first, second = _run(ledger, "a"), _run(ledger, "a")
    assert _read(store, "AWS/Lambda", "Invocations", "Sum", FunctionName="f") == []
    assert _read(store, "AWS/Lambda", "ConcurrentExecutions", "Maximum", FunctionName="f") == [2]
    assert _read(store, "AWS/Lambda", "ClaimedAccountConcurrency", "Maximum") == [9]
    first.duration_ms, second.error_type = 120.0, "ValueError"
    for execution in (first, second):
        ledger.finish(execution)
    assert _read(store, "AWS/Lambda", "Invocations", "Sum", FunctionName="f") == [2]
    assert _read(store, "AWS/Lambda", "Errors", "Sum") == [1]
    assert _read(store, "AWS/Lambda", "Duration", "Maximum", FunctionName="f") == [120]
    counts = ledger.report(SCOPE)["f"]
    assert (counts["in_flight"], counts["errors"], counts["requests"]) == (0, 1, {"a": 2})


def test_ages_are_compressed_and_durations_are_not() -> None:
    store = MetricStore(Timeline(12))
    Ledger(store).iterator_age(SCOPE, "f", 2.0, NOW)
    SourceLedger(store).depth(SCOPE, "q", Depth(1, 2, 3, 5.0), NOW)
    assert _read(store, "AWS/Lambda", "IteratorAge", "Maximum", FunctionName="f") == [24_000]
    assert _read(store, "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName="q") == [60]
    assert _read(store, "AWS/SQS", "ApproximateNumberOfMessagesDelayed", "Maximum", QueueName="q") == [3]
    assert _read(store, "AWS/SQS", "NumberOfMessagesSent", "Sum", QueueName="q") == [0]


def test_a_message_of_three_receives_has_no_age_until_it_is_a_dead_letter() -> None:
    message = {"visible_at": NOW - 1, "receive_count": 3, "sent_at": NOW - 100}
    assert measure({"messages": [message]}, NOW) == Depth(1, 0, 0, 0.0)
    moved = {**message, "lambdatop_moved_at": NOW - 4}
    assert measure({"messages": [moved]}, NOW) == Depth(1, 0, 0, 4.0)
    waiting = {"visible_at": NOW + 9, "receive_count": 0, "sent_at": NOW}
    taken = {"visible_at": NOW + 9, "receive_count": 1, "sent_at": NOW - 2}
    assert measure({"messages": [waiting, taken]}, NOW) == Depth(0, 1, 1, 2.0)


def test_what_began_before_a_reset_leaves_no_trace() -> None:
    store = MetricStore(Timeline(12))
    ledger = Ledger(store)
    stale = _run(ledger, "a")
    ledger.clear()
    store.clear()
    ledger.finish(stale)
    assert ledger.report(SCOPE) == {}
    assert store.keys(SCOPE) == []
