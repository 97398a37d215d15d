"""A drain deletes what is on disk and nothing else, whatever breaks on the way."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from fakes.aws_doubles import Bench
from fakes.drained_queue import DELETE, RECEIVE, URL, DrainedQueue, Drainer, always, filled, names, once, sent
from fakes.wire_stub import Answer, Body, Fault, Hang, Reset, WireStub

from lambdatop.aws.mutation.drain import COUNTS, WAIT_S
from lambdatop.aws.sdk.clients import Clients
from lambdatop.domain.ports.aws import Sent

from ..conftest import MakeBench

pytestmark = pytest.mark.sdk


@pytest.fixture
def drainer(bench: MakeBench, tmp_path: Path) -> Drainer:
    return Drainer(bench(read_only=False, silence_s=2.0), tmp_path)


async def test_everything_is_kept_then_deleted(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 23)
    drainer.mutator.wait_s = 1
    done = await drainer.run()
    assert done == Sent("applied", f"drained 23 messages to {drainer.path}")
    assert queue.deleted == drainer.kept == names(23)
    assert len(stub.calls(RECEIVE)) == 3 + 3, "three batches, then three polls in a row without a message"
    assert stub.calls(RECEIVE)[0] == {
        "QueueUrl": URL,
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": 900,
        "WaitTimeSeconds": 1,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }


async def test_two_polls_without_a_message_are_not_the_end(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 15)
    nothing: Answer = {"Messages": []}
    queue.interrupt = lambda asked, n: nothing if asked == RECEIVE and n in (0, 1, 3, 4) else None
    await drainer.run()
    assert queue.deleted == drainer.kept == names(15)


def test_the_long_poll_fits_into_the_read_timeout() -> None:
    assert 1 <= WAIT_S <= inspect.signature(Clients).parameters["read_timeout_s"].default / 2


async def test_nothing_is_deleted_before_it_is_on_disk(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 25)
    seen: list[tuple[int, int]] = []

    def look(operation: str, before: int) -> None:
        if operation == DELETE:
            seen.append((len(drainer.kept), len(queue.deleted)))

    queue.interrupt = look
    await drainer.run()
    assert seen == [(10, 0), (20, 10), (25, 20)]


async def test_what_could_not_be_deleted_is_deleted_before_the_end(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 12)
    queue.failing = {"m003": 2, "m011": 1}
    done = await drainer.run()
    assert done.detail == f"drained 12 messages to {drainer.path}"
    assert sorted(queue.deleted) == drainer.kept == names(12)


async def test_what_cannot_be_deleted_at_all_is_counted_and_said(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 12)
    queue.failing = {"m003": 99, "m011": 99}
    done = await drainer.run()
    assert done.outcome == "applied"
    assert "2 could not be deleted (InternalError) and will come back" in done.detail
    assert "SQS still counts about 2 messages" in done.detail
    assert set(queue.deleted) == set(names(12)) - {"m003", "m011"}


@pytest.mark.parametrize("told", [Fault("AccessDenied", status=403), {"Attributes": {COUNTS[0]: "many"}}])
async def test_what_sqs_does_not_count_is_not_none(stub: WireStub, drainer: Drainer, told: Answer) -> None:
    queue = filled(stub, 3)
    stub.on("sqs", "GetQueueAttributes", told)
    done = await drainer.run()
    said = f"drained 3 messages to {drainer.path}; how many SQS still counts is not known"
    assert done == Sent("applied", said)
    assert queue.deleted == names(3)


@pytest.mark.parametrize("odd", ["-1", "99", "x", None])
async def test_an_answer_about_nothing_that_was_sent_ends_no_drain(
    stub: WireStub, drainer: Drainer, odd: str | None
) -> None:
    queue = filled(stub, 2)
    queue.interrupt = lambda asked, n: {"Successful": [{"Id": odd}]} if asked == DELETE and n == 0 else None
    done = await drainer.run()
    assert done == Sent("applied", f"drained 2 messages to {drainer.path}")
    assert queue.deleted == names(2)


async def test_what_comes_again_is_deleted_again_and_not_kept_twice(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 3)
    queue.failing = {"m001": 99}
    await drainer.run()
    queue.failing = {}
    queue.come_back()
    done = await drainer.run()
    assert done.detail == f"drained 0 messages to {drainer.path}; 1 came that the file held already"
    assert queue.deleted == ["m000", "m002", "m001"]
    assert drainer.kept == names(3)


async def test_a_blocked_group_does_not_end_the_drain(stub: WireStub, drainer: Drainer) -> None:
    first = [sent("a0", "a"), *(sent(f"b{n}", "b") for n in range(15))]
    queue = DrainedQueue(stub, [*first, *(sent(f"a{n}", "a") for n in range(1, 15))])
    queue.failing = {"a0": 3}
    done = await drainer.run()
    assert done.detail == f"drained 30 messages to {drainer.path}"
    for group in "ab":
        assert [n for n in drainer.kept if n[0] == group] == [f"{group}{n}" for n in range(15)]
    assert set(queue.deleted) == set(drainer.kept)


@pytest.mark.parametrize(
    "answer", [Reset(), Hang(), Fault("InternalError", status=500), Fault("AccessDenied", status=403)]
)
async def test_a_receive_that_breaks_in_the_middle_leaves_no_half_things(
    answer: Answer, stub: WireStub, drainer: Drainer
) -> None:
    queue = filled(stub, 35)
    queue.interrupt = once(RECEIVE, 2, answer)
    done = await drainer.run()
    assert done.outcome == "applied"
    assert done.detail.startswith(f"drained 20 messages to {drainer.path}; stopped early: ")
    assert done.detail.endswith("; run it again to go on")
    hidden = "Up to 10 messages may stay hidden for 15 minutes" in done.detail
    assert hidden is (answer != Fault("AccessDenied", status=403))
    assert queue.deleted == drainer.kept == names(20)
    assert (await drainer.run()).detail == f"drained 15 messages to {drainer.path}"
    assert queue.deleted == drainer.kept == names(35)


@pytest.mark.parametrize("applied", [True, False])
async def test_a_delete_whose_answer_is_lost_is_sent_again(
    applied: bool, stub: WireStub, drainer: Drainer
) -> None:
    queue = filled(stub, 15)

    def cut(operation: str, before: int) -> Answer | None:
        if (operation, before) != (DELETE, 0):
            return None
        if applied:
            queue.delete(stub.calls(DELETE)[0])
        return Reset()

    queue.interrupt = cut
    assert (await drainer.run()).detail == f"drained 15 messages to {drainer.path}"
    assert queue.deleted == drainer.kept == names(15)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Reset(), "whether 10 were deleted is not known: those that were not come back; stopped early"),
        (Fault("AccessDenied", "no", 403), "10 could not be deleted and will come back; stopped early: Acc"),
    ],
)
async def test_a_delete_that_stays_broken_ends_the_drain_and_the_next_one_goes_on(
    answer: Answer, says: str, stub: WireStub, drainer: Drainer
) -> None:
    queue = filled(stub, 25)
    queue.interrupt = always(DELETE, 1, answer)
    done = await drainer.run()
    assert done.outcome == "applied"
    assert says in done.detail
    assert (queue.deleted, drainer.kept) == (names(10), names(20))
    queue.interrupt = lambda operation, before: None
    queue.come_back()
    again = await drainer.run()
    assert again.detail == f"drained 5 messages to {drainer.path}; 10 came that the file held already"
    assert sorted(queue.deleted) == drainer.kept == names(25)


async def test_a_batch_that_cannot_be_kept_is_not_deleted(stub: WireStub, drainer: Drainer) -> None:
    messages = [sent(name) for name in names(15)]
    messages[12] |= {"MD5OfBody": "0" * 32}
    queue = DrainedQueue(stub, messages)
    done = await drainer.run()
    assert done.outcome == "applied"
    assert "drained 10 messages" in done.detail
    assert "stopped early: The body of message m012 does not have the MD5" in done.detail
    assert "The last 5 messages are in the queue and may stay hidden for 15 minutes" in done.detail
    assert queue.deleted == drainer.kept == names(10)


@pytest.mark.parametrize(
    ("answer", "outcome", "says"),
    [
        (Fault("AccessDenied", "not \x1b[31mallowed", 403), "refused", "AccessDenied: not ␛[31mallowed"),
        (Fault("QueueDoesNotExist"), "refused", "QueueDoesNotExist"),
        (Fault("OverLimit", status=403), "refused", "OverLimit"),
        (Fault("InternalError", status=500), "unknown", "Up to 10 messages may stay hidden"),
        (Hang(), "unknown", "in time"),
        (Reset(), "unknown", "closed"),
        (Body(b"<html></html>", "text/html"), "unknown", "could not be understood"),
    ],
)
async def test_how_it_ends_when_nothing_was_received(
    answer: Answer, outcome: str, says: str, stub: WireStub, drainer: Drainer
) -> None:
    filled(stub, 5).interrupt = always(RECEIVE, 0, answer)
    done = await drainer.run()
    assert done.outcome == outcome
    assert says in done.detail
    assert not stub.calls(DELETE)
    assert not drainer.kept


async def test_throttled_at_the_start_may_be_tried_again(stub: WireStub, drainer: Drainer) -> None:
    filled(stub, 1).interrupt = always(RECEIVE, 0, Fault("RequestThrottled", status=403))
    done = await drainer.run()
    assert (done.outcome, done.busy) == ("refused", True)


async def test_too_many_in_flight_is_waited_out(stub: WireStub, drainer: Drainer) -> None:
    queue = filled(stub, 25)
    queue.failing = {"m004": 1}
    over = Fault("OverLimit", status=403)
    queue.interrupt = lambda asked, before: over if asked == RECEIVE and before in (1, 2, 4) else None
    done = await drainer.run()
    assert done.detail == f"drained 25 messages to {drainer.path}"
    assert len(queue.deleted) == 25


async def test_too_many_in_flight_for_good_is_said(stub: WireStub, drainer: Drainer) -> None:
    filled(stub, 25).interrupt = always(RECEIVE, 1, Fault("OverLimit", "120000 in flight", 403))
    done = await drainer.run()
    assert done.outcome == "applied"
    assert "drained 10 messages" in done.detail
    assert "stopped early: OverLimit: 120000 in flight; run it again to go on" in done.detail


async def test_a_server_that_cannot_be_reached_gets_nothing(tmp_path: Path) -> None:
    bench = Bench("http://127.0.0.1:9", read_only=False)
    done = await Drainer(bench, tmp_path).run()
    await bench.close()
    assert done.outcome == "not-sent"


async def test_an_empty_queue_is_said_to_be(stub: WireStub, drainer: Drainer) -> None:
    filled(stub, 0)
    assert await drainer.run() == Sent("applied", f"drained 0 messages to {drainer.path}")
