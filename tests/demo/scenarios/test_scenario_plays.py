"""The scenarios' own functions and events, each played alone on the bare emulator: do the stories happen?"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from demo.clients import Aws, wait_for
from msgspec.structs import replace

from lambdatop.demo.process.deploy import Deployment
from lambdatop.demo.process.http_client import Wire, WireError
from lambdatop.demo.process.script import Steps
from lambdatop.demo.scenarios import SCENARIOS, Scenario
from lambdatop.demo.scenarios.calm import CALM, CYCLE_MIN, day
from lambdatop.demo.scenarios.endless_stream import ENDLESS_STREAM, payment
from lambdatop.demo.scenarios.loop import LOOP, address, transfer
from lambdatop.demo.scenarios.model import Step
from lambdatop.demo.scenarios.parent_child import PARENT_CHILD, order
from lambdatop.demo.scenarios.slow_query import SLOW_QUERY, search

pytestmark = pytest.mark.wire

Play = Callable[..., None]


@pytest.fixture
def wire(aws: Aws) -> Iterator[Wire]:
    wire = Wire(
        int(aws.demo.endpoint_url.rsplit(":", 1)[1]),
        aws.demo.account,
        aws.demo.region,
        aws.demo.session_token,
    )
    yield wire
    wire.close()


@pytest.fixture
def play(wire: Wire) -> Play:
    """Deploy these functions of a scenario with what feeds them, and none of its traffic."""

    def deploy(scenario: Scenario, *names: str) -> None:
        mappings = tuple(m for m in scenario.mappings if m.function in names)
        sources = {m.source for m in mappings}
        wanted = sources | {q.dead_letter for q in scenario.queues if q.name in sources}
        part = replace(
            scenario,
            functions=tuple(f for f in scenario.functions if f.name in names),
            mappings=mappings,
            queues=tuple(q for q in scenario.queues if q.name in wanted),
            streams=tuple(s for s in scenario.streams if s in sources),
            tables=tuple(t for t in scenario.tables if t in sources),
        )
        Deployment(wire, part).run()

    return deploy


def _lines(aws: Aws, function: str, pattern: str) -> list[re.Match[str]]:
    messages = [event["message"] for event in aws.log(f"/aws/lambda/{function}")]
    return [found for message in messages if (found := re.search(pattern, message))]


def test_retried_parents_run_their_first_children_again(aws: Aws, play: Play) -> None:
    play(PARENT_CHILD, "order-splitter", "parcel-notifier")
    aws.invoke("order-splitter", order(1, random.Random(1)), "Event")
    wait_for(lambda: aws.counted("order-splitter").get("async_dropped") == 1)
    notifier = aws.finished("parcel-notifier", 6)
    parent = aws.counted("order-splitter")
    assert list(parent["requests"].values()) == [3]  # One request id, three attempts.
    assert (parent["errors"], parent["started"]) == (3, 3)
    assert (notifier["started"], notifier["errors"]) == (6, 0)
    assert list(notifier["requests"].values()) == [1] * 6  # To Lambda each child is a new request.
    told = _lines(aws, "parcel-notifier", r"SMS for order (\d+), parcel (\S+) sent")
    repeated = collections.Counter(match.groups() for match in told)
    assert repeated == {("52001", "p-1-1"): 3, ("52001", "p-1-2"): 3}


def test_a_complete_order_is_split_once(aws: Aws, play: Play) -> None:
    play(PARENT_CHILD, "order-splitter", "parcel-notifier")
    aws.invoke("order-splitter", order(4, random.Random(1)), "Event")
    assert aws.finished("parcel-notifier", 4)["started"] == 4
    parent = aws.finished("order-splitter", 1)
    assert (parent["started"], parent["errors"]) == (1, 0)


def test_a_bad_payment_blocks_its_shard(aws: Aws, play: Play) -> None:
    play(ENDLESS_STREAM, "ledger-writer")
    dice = random.Random(1)

    def put(number: int) -> None:
        data = json.dumps(payment(number, dice)).encode()
        aws.kinesis.put_record(StreamName="payments-feed", PartitionKey="all", Data=data)

    for number in (1, 2, 3):
        put(number)
    wait_for(lambda: sum(int(m[1]) for m in _booked(aws)) == 3)
    booked = aws.counted("ledger-writer")["finished"]
    put(4)
    wait_for(lambda: aws.counted("ledger-writer")["errors"] >= 1)
    put(5)
    wait_for(lambda: aws.counted("ledger-writer")["errors"] >= 4)
    wait_for(
        lambda: max(aws.metric("AWS/Lambda", "IteratorAge", "Maximum", FunctionName="ledger-writer")) > 0
    )
    blamed = {m.groups() for m in _lines(aws, "ledger-writer", r"payment (\d+) at (\d+): amount '(\w+)'")}
    assert {(who, amount) for who, _, amount in blamed} == {("81004", "NaN")}
    assert len(blamed) == 1  # The same sequence number each time.
    assert sum(int(m[1]) for m in _booked(aws)) == 3  # The fifth payment, a good one, waits behind it.
    counted = aws.counted("ledger-writer")
    assert counted["finished"] - counted["errors"] == booked


def _booked(aws: Aws) -> list[re.Match[str]]:
    groups = [group["logGroupName"] for group in aws.logs.describe_log_groups()["logGroups"]]
    written = "/aws/lambda/ledger-writer" in groups
    return _lines(aws, "ledger-writer", r"^(\d+) payments, \d+ cents booked") if written else []


def test_every_search_scans_more_rows_than_the_last(aws: Aws, play: Play) -> None:
    play(SLOW_QUERY, "customer-search")
    dice = random.Random(1)
    for number in range(1, 4):
        assert "FunctionError" not in aws.invoke("customer-search", search(number, dice))
    found = _lines(aws, "customer-search", r"^(\d+) orders of c\d+@example\.com: (\d+) rows in")
    rows = [int(match[2]) for match in found]
    assert [b - a for a, b in itertools.pairwise(rows)] == [2000, 2000]
    assert all(int(match[1]) > 0 for match in found)
    slowest_ms = max(aws.metric("AWS/Lambda", "Duration", "Maximum", FunctionName="customer-search"))
    assert slowest_ms >= rows[-1] * 0.024  # 24 microseconds a row, and what SQLite itself takes.


def test_addresses_never_end_become_more_and_escape_loop_detection(aws: Aws, play: Play) -> None:
    play(LOOP, "address-cleaner")
    body = json.dumps({**address(1, random.Random(1)), "hops": 8})
    aws.sqs.send_message(QueueUrl="addresses", MessageBody=body)
    aws.finished("address-cleaner", 1)

    def hops() -> int:
        return 1 + max(int(m[1]) for m in _lines(aws, "address-cleaner", r"cleaned, pass (\d+)")) - 8

    wait_for(lambda: hops() > 17)  # Lambda's loop detection would have stopped the chain by now.
    cleaner, queue = aws.counted("address-cleaner"), aws.demo.ledger()["queues"]["addresses"]
    assert queue["sent"] - queue["deleted"] >= 2
    assert (cleaner["loops_stopped"], cleaner["errors"]) == (0, 0)


def test_the_transfer_that_invokes_itself_is_stopped_after_sixteen_hops(aws: Aws, play: Play) -> None:
    play(LOOP, "retry-scheduler")
    aws.invoke("retry-scheduler", transfer(1, random.Random(1)), "Event")
    wait_for(lambda: aws.counted("retry-scheduler").get("loops_stopped") == 1)
    counted = aws.finished("retry-scheduler", 16)
    assert (counted["started"], counted["errors"], counted["async_received"]) == (16, 0, 16)
    assert aws.total("RecursiveInvocationsDropped", "retry-scheduler") == 1
    assert len(_lines(aws, "retry-scheduler", r"^stopped: ")) == 1


def test_what_calm_redrives_succeeds(aws: Aws, wire: Wire, play: Play) -> None:
    play(CALM, "shipment-notifier")
    steps = Steps(wire, CALM, 12)
    for step in CALM.steps:
        if step.target == "shipments-dlq":
            # At the scenario's rate of two a second the whole seed would take six.
            steps.take(replace(step, count=min(step.count, 2)))
    wait_for(lambda: aws.demo.ledger()["queues"]["shipments"]["deleted"] == 2)
    queues = aws.demo.ledger()["queues"]
    assert (queues["shipments-dlq"]["deleted"], queues["shipments-dlq"]["arrived_by_redrive"]) == (2, 0)
    assert aws.counted("shipment-notifier")["errors"] == 0


def test_a_calm_day_rises_rests_and_repeats() -> None:
    assert day(0) == day(3.9) == day(20) == day(39) == 1
    assert day(9) == max(day(minute / 10) for minute in range(400)) == 3
    assert 1 < day(6) < day(8) > day(12) > 1
    assert day(30) < 0.1
    for minute in (2.0, 7.5, 9.0, 30.0):
        assert day(minute + 3 * CYCLE_MIN) == pytest.approx(day(minute))
    assert all(0 <= step.minute < CALM.cycle_min for step in CALM.steps)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_steps_can_be_taken(scenario: Scenario) -> None:
    seeded: set[str] = set()
    for step in sorted(scenario.steps, key=lambda step: step.minute):
        if step.kind == "redrive":
            feeders = [q.name for q in scenario.queues if q.dead_letter == step.target]
            assert len(feeders) == 1, "a redrive without a destination needs one source"
            assert step.target in seeded, "nothing lies there yet"
        elif step.kind == "seed":
            assert step.payload is not None
            assert step.count > 0
            seeded.add(step.target)
        else:
            assert step.target in {f.name for f in scenario.functions}
        assert scenario.cycle_min == 0 or step.minute < scenario.cycle_min


class _Enough(Exception):
    """So many steps will do."""


class _Watched(Steps):
    """Takes real steps, and keeps what was taken."""

    def __init__(self, wire: Wire, scenario: Scenario, most: int = 99) -> None:
        super().__init__(wire, scenario, 12)
        self.taken: list[str] = []
        self._most = most

    def take(self, step: Step) -> None:
        if len(self.taken) == self._most:
            raise _Enough
        self.taken.append(f"{step.kind} {step.target}")
        super().take(step)

    def here(self) -> None:
        """Take the steps in the caller's thread: a thread of their own would never end."""
        with contextlib.suppress(_Enough):
            self._run()


def _numbered(number: int, dice: random.Random) -> dict[str, Any]:
    return {"number": number, "dice": dice.random()}


def _over() -> bool:
    return not any(thread.name == "steps" for thread in threading.enumerate())


def test_steps_are_taken_in_order_in_every_cycle_whatever_is_refused(aws: Aws, wire: Wire) -> None:
    aws.queue("letters")
    steps = (
        Step(0.02, "seed", "letters", 2, _numbered),
        Step(0.01, "redrive", "no-such-queue"),
        Step(0.0, "deploy", "audit-logger"),
    )
    with pytest.raises(WireError, match="ResourceNotFound"):
        Steps(wire, replace(CALM, steps=()), 12).take(steps[1])
    aws.function("audit-logger", "handler = len\n")
    watched = _Watched(wire, replace(CALM, steps=steps, cycle_min=0.03), 6)
    watched.here()
    assert watched.taken == ["deploy audit-logger", "redrive no-such-queue", "seed letters"] * 2
    messages = aws.sqs.receive_message(QueueUrl="letters", MaxNumberOfMessages=10)["Messages"]
    bodies = [json.loads(message["Body"]) for message in messages]
    assert sorted(body["number"] for body in bodies) == [1, 1, 2, 2]
    assert len({body["dice"] for body in bodies}) == 4  # The dice go on from cycle to cycle.


def test_without_a_cycle_steps_are_taken_once(aws: Aws, wire: Wire) -> None:
    aws.queue("letters")
    once = replace(CALM, steps=(Step(0.0, "seed", "letters", 1, _numbered),), cycle_min=0.0)
    watched = _Watched(wire, once)
    watched.start()
    wait_for(_over)
    assert watched.taken == ["seed letters"]
    assert aws.demo.ledger()["queues"]["letters"]["sent"] == 1


def test_a_log_weighs_its_utf8_bytes_and_26_for_each_event(aws: Aws) -> None:
    aws.function("talker", "def handler(event, context):\n    print('\\u00fc' * event['n'])\n")
    for n in (100, 7):
        aws.invoke("talker", {"n": n})
    group = "/aws/lambda/talker"
    events = aws.log(group)
    assert sum("\N{LATIN SMALL LETTER U WITH DIAERESIS}" in event["message"] for event in events) == 2
    weight = sum(len(event["message"].encode()) + 26 for event in events)
    wait_for(lambda: sum(aws.metric("AWS/Logs", "IncomingLogEvents", LogGroupName=group)) == len(events))
    assert sum(aws.metric("AWS/Logs", "IncomingBytes", LogGroupName=group)) == weight
    assert aws.metric("AWS/Logs", "IncomingBytes", LogGroupName="/aws/lambda/silent") == []
