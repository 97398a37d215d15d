from __future__ import annotations

import pytest
from fakes.queuescene import END, depth, found, moved, runs, scene
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, SCOPE, WORKER, mapping, points, queue

from lambdatop.domain.detectors.rules import (
    batch_amplification,
    dlq_growth,
    error_rate,
    poison_message,
    sqs_redelivery,
)
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.events import MetricPoints

STREAM = "2026/11/21/[$LATEST]" + "b" * 32


def storm(received: float = 30.0, deleted: float = 10.0, errors: float = 4.0) -> list[MetricPoints]:
    return [*moved([received] * 10, [deleted] * 10), *runs(Errors=[errors] * 10, Invocations=[20.0] * 10)]


def test_redelivery_by_its_numbers() -> None:
    (finding,) = found(sqs_redelivery.detect, scene([*storm(), depth([float(i) for i in range(10)])]))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("critical", ORDERS)
    assert finding.title == "orders redelivers: 3.0 receives per deleted message; orders-dlq +9 in 9 min"
    assert finding.formula == "300 received / 100 deleted = 3.00 >= 3 over 10 min"
    assert (evidence["repeated_receives"], evidence["max_receive_count"], evidence["dlq_grown"]) == (
        200,
        3,
        9,
    )
    assert finding.about == (WORKER, MAPPING, DLQ)
    assert finding.since == END - 600


@pytest.mark.parametrize(
    "data",
    [
        storm(1.5, 0.5),  # 15 receives
        storm(14.0, 10.0),  # 1.4
        [*moved([10.0] * 9 + [70.0], [10.0] * 10), *runs(Errors=[0.0] * 10)],  # one look by hand
        [],
    ],
)
def test_redelivery_is_silent(data: list[MetricPoints]) -> None:
    assert found(sqs_redelivery.detect, scene(data)) == []


def test_what_is_in_flight_was_received_once_and_may_still_get_done() -> None:
    slow = [*moved([5.0] * 10, [3.0] * 10), *runs(Errors=[1.0] * 10)]
    assert [f.severity for f in found(sqs_redelivery.detect, scene(slow))] == ["warning"]
    assert found(sqs_redelivery.detect, scene(slow, in_flight=20)) == []


def test_redelivery_without_errors_counts_when_it_lasts() -> None:
    lasting = [*moved([20.0] * 10, [10.0] * 10), *runs(Errors=[0.0] * 10)]
    assert len(found(sqs_redelivery.detect, scene(lasting))) == 1


def test_deletions_that_cloudwatch_tells_late_are_no_redelivery() -> None:
    """What was sent, and neither waits nor is a dead letter, was deleted."""
    late = [*moved([30.0] * 10, [], [30.0] * 10), *runs(Errors=[1.0] * 10)]
    assert found(sqs_redelivery.detect, scene([*late, depth([4.0] * 10, ORDERS)])) == []
    piles_up = depth([30.0 * n for n in range(10)], ORDERS)
    assert len(found(sqs_redelivery.detect, scene([*late, piles_up]))) == 1
    dies = [depth([4.0] * 10, ORDERS), depth([30.0 * n for n in range(10)])]
    assert len(found(sqs_redelivery.detect, scene([*late, *dies]))) == 1


def test_a_standing_redelivery_does_not_flicker() -> None:
    before = found(sqs_redelivery.detect, scene(storm(16.0, 10.0)))
    assert [f.severity for f in before] == ["warning"]
    assert found(sqs_redelivery.detect, scene(storm(13.0, 10.0))) == []
    assert len(found(sqs_redelivery.detect, scene(storm(13.0, 10.0)), before)) == 1
    assert found(sqs_redelivery.detect, scene(storm(11.0, 10.0)), before) == []


def growing(per_min: float) -> list[MetricPoints]:
    return [depth([per_min * i for i in range(6)])]


def test_growth_of_the_dead_letters() -> None:
    (finding,) = found(dlq_growth.detect, scene(growing(3.0)))
    assert (finding.severity, finding.target.key) == ("warning", DLQ)
    assert finding.title == "orders-dlq grew by 12 in 4 min, 9 waiting"
    assert finding.about == (ORDERS, WORKER)
    assert [f.severity for f in found(dlq_growth.detect, scene(growing(12.0)))] == ["critical"]


def test_growth_is_silent_for_depth_alone_a_shrinking_queue_and_a_redrive() -> None:
    assert found(dlq_growth.detect, scene([depth([40.0] * 6)])) == []
    assert found(dlq_growth.detect, scene([depth([40.0, 30.0, 20.0, 10.0, 5.0, 0.0])])) == []
    assert found(dlq_growth.detect, scene(growing(3.0), redrive="RUNNING")) == []
    assert len(found(dlq_growth.detect, scene(growing(3.0), redrive="COMPLETED"))) == 1


def test_letters_that_somebody_reads_are_no_growth() -> None:
    """A letter that is read is the maximum of both in one minute; more visible ones are new."""
    flying = points(DLQ, "ApproximateNumberOfMessagesNotVisible", [0.0, 0.0, 0.0, 9.0, 9.0, 9.0], "Maximum")
    assert found(dlq_growth.detect, scene([depth([40.0] * 6), flying])) == []
    (finding,) = found(dlq_growth.detect, scene([*growing(3.0), flying]))
    assert dict(finding.evidence)["grown"] == 12


def test_letters_that_a_trigger_takes_at_once_are_growth() -> None:
    taken = points(DLQ, "NumberOfMessagesDeleted", [0.0, 0.0, 2.0, 0.0, 1.0, 0.0])
    fed = (mapping(), mapping(key=Key(SCOPE, "mapping", "of-the-dlq"), source_arn=queue(DLQ).arn))
    (finding,) = found(dlq_growth.detect, scene([depth([0.0] * 6), taken], fed=fed))
    assert dict(finding.evidence)["grown"] == 3
    assert found(dlq_growth.detect, scene([depth([0.0] * 6), taken])) == []  # deleted by hand
    draining = [
        depth([50.0, 40.0, 30.0, 20.0, 10.0, 0.0]),
        points(DLQ, "NumberOfMessagesDeleted", [10.0] * 6),
    ]
    assert found(dlq_growth.detect, scene(draining, fed=fed)) == []


def test_a_failure_destination_is_a_dead_letter_queue_too() -> None:
    lone = ev.QueuesObserved(SCOPE, NOW + 1, (), (ORDERS,))
    config = AsyncConfig(None, None, "arn:aws:sqs:eu-central-1:111122223333:orders-dlq")
    triggers = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, config),))
    assert found(dlq_growth.detect, scene(growing(3.0), lone, fed=())) == []
    (finding,) = found(dlq_growth.detect, scene(growing(3.0), lone, triggers, fed=()))
    assert finding.about == (WORKER, WORKER)


def attempts(message: str, count: int, first: int = 0) -> list[str]:
    return [f"order 7: message {message}, receive {n + 1}" for n in range(first, first + count)]


def log(messages: list[str], *, failing: bool = True) -> ev.LogsObserved:
    lines = []
    for n, text in enumerate(messages):
        request, at = f"{n:08x}-0000-4000-8000-000000000000", NOW - 60 + n
        texts = [f"START RequestId: {request} Version: $LATEST", text]
        texts += ["[ERROR] ValueError: unknown currency"] if failing else []
        texts.append(f"END RequestId: {request}")
        lines += [parse(at + i / 1000, f"{n}.{i}", STREAM, line) for i, line in enumerate(texts)]
    return ev.LogsObserved(SCOPE, NOW, WORKER, "/aws/lambda/orders-worker", tuple(lines))


POISON = "0f0f0f0f-1111-4222-8333-444444444444"


def test_one_message_in_three_failed_executions_is_poison() -> None:
    (finding,) = found(poison_message.detect, scene(storm(), log(attempts(POISON, 3))))
    evidence = dict(finding.evidence)
    assert finding.title == "orders: a message is redelivered repeatedly (3 failed executions in the log)"
    assert (evidence["first_message"], evidence["executions_of_it"]) == (POISON, 3)
    assert evidence["then"] == "again after 30 s, after 3 failed receives to orders-dlq"


def test_an_id_that_succeeds_again_and_again_is_no_poison() -> None:
    calm = [*moved([10.0] * 10, [10.0] * 10), *runs(Errors=[0.0] * 10, Invocations=[20.0] * 10)]
    assert found(poison_message.detect, scene(calm, log(attempts(POISON, 9), failing=False))) == []
    assert found(poison_message.detect, scene(calm, log(attempts(POISON, 2)))) == []


def test_dead_letters_while_others_succeed_are_poison_without_a_log() -> None:
    (finding,) = found(poison_message.detect, scene([*storm(), *growing(3.0)]))
    assert finding.title == "orders: 15 more messages in its DLQ while others succeed"
    broken = [*moved([30.0] * 10, [0.0] * 10), *runs(Errors=[20.0] * 10, Invocations=[20.0] * 10)]
    assert found(poison_message.detect, scene([*broken, *growing(3.0)])) == []


def test_throttles_that_use_up_the_receives_are_no_poison() -> None:
    letters = [*storm(), *growing(3.0)]
    assert found(poison_message.detect, scene([*letters, *runs(Throttles=[2.0] * 10)])) == []
    assert len(found(poison_message.detect, scene([*letters, *runs(Throttles=[0.0] * 9 + [1.0])]))) == 1


def test_who_reports_failed_items_has_no_errors_but_dead_letters() -> None:
    fine = [*moved([200.0] * 10, [198.0] * 10), *runs(Errors=[0.0] * 10, Invocations=[20.0] * 10)]
    reports = (mapping(partial_responses=True),)
    assert len(found(poison_message.detect, scene([*fine, *growing(2.0)], fed=reports))) == 1
    assert found(poison_message.detect, scene([*fine, *growing(2.0)])) == []  # then others fill it
    looped = runs(RecursiveInvocationsDropped=[2.0] * 10)
    assert found(poison_message.detect, scene([*fine, *growing(2.0), *looped], fed=reports)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"AccessDenied: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/{POISON}",
        f"order {POISON} failed",
        f"GET /orders/{POISON} 500",
        f"request id {POISON}",
    ],
)
def test_an_id_that_is_no_messages_own_is_no_poison(text: str) -> None:
    assert found(poison_message.detect, scene(storm(), log([text] * 5))) == []


@pytest.mark.parametrize(
    "text",
    [
        f"message {POISON}: currency is not known",
        f'{{"level":"ERROR","messageId":"{POISON}"}}',
        f"MessageId={POISON} failed",
        f"message_id: '{POISON}'",
        f'{{"batchItemFailures":[{{"itemIdentifier":"{POISON}"}}]}}',
        f"Failed to process SQS message ({POISON})",
    ],
)
def test_a_message_is_known_by_what_its_id_is_called(text: str) -> None:
    assert len(found(poison_message.detect, scene(storm(), log([text] * 3)))) == 1


def test_a_few_messages_that_go_round_and_round() -> None:
    stuck = [
        *moved([6.0] * 15, [0.0] * 15),
        *runs(Errors=[6.0] * 15, Invocations=[6.0] * 15),
        points(ORDERS, "ApproximateNumberOfMessagesNotVisible", [2.0] * 15, "Minimum"),
    ]
    (finding,) = found(poison_message.detect, scene(stuck))
    assert finding.title == "orders: 2 messages stay in flight and none is deleted"


def test_batches_repeat_what_was_healthy() -> None:
    data = [*moved([30.0] * 10, [20.0] * 10), *runs(Errors=[2.0] * 10, Invocations=[20.0] * 10)]
    (finding,) = found(batch_amplification.detect, scene(data))
    assert (finding.target.key, finding.target.name) == (MAPPING, "orders → orders-worker")
    assert dict(finding.evidence)["healthy_repeated_per_batch"] == 0.9
    for fed in (mapping(partial_responses=True), mapping(batch_size=1), mapping(state="Disabled")):
        assert found(batch_amplification.detect, scene(data, fed=(fed,))) == []
    nothing_done = [*moved([30.0] * 10, [0.0] * 10), *runs(Errors=[2.0] * 10, Invocations=[20.0] * 10)]
    assert found(batch_amplification.detect, scene(nothing_done)) == []
    all_fail = [*moved([30.0] * 10, [1.0] * 10), *runs(Errors=[19.0] * 10, Invocations=[20.0] * 10)]
    assert found(batch_amplification.detect, scene(all_fail)) == []


def test_error_rate_by_its_numbers() -> None:
    (finding,) = found(
        error_rate.detect, scene(runs(Errors=[0.0, 6.0, 6.0, 6.0, 6.0], Invocations=[20.0] * 5))
    )
    assert (finding.severity, finding.since) == ("warning", END - 240)
    assert finding.formula == "24 errors / 100 invocations = 24.0% >= 5% over 5 min"


@pytest.mark.parametrize(
    ("errors", "invocations", "severities"),
    [
        ([2.0], [19.0], []),
        ([2.0], [20.0], []),
        ([3.0], [20.0], ["warning"]),
        ([5.0], [20.0], ["critical"]),
        ([], [100.0], []),
        ([9.0], [], []),
    ],
)
def test_error_rate_has_floors(errors: list[float], invocations: list[float], severities: list[str]) -> None:
    world = scene(runs(Errors=errors, Invocations=invocations))
    assert [f.severity for f in found(error_rate.detect, world)] == severities
