"""A deadline that is promised is never later than the first loss, whatever waits in the source."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from fakes.worlds import MAPPING, NOW, ORDERS, mapping, queue
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.facts.deadline import HIDDEN_FROM, Deadline, queue_deadline, stream_deadline
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.plans.situation import MappingSituation

STREAM = "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"
DENIED = NotKnown("denied", "kinesis:DescribeStreamSummary")
DAY = 86_400


class Message(NamedTuple):
    """One that waits: its age since it was first sent and since it came here (s), and its receives so far."""

    age_s: float
    here_s: float
    receives: int


@st.composite
def queues(draw: st.DrawFn) -> tuple[QueueFacts, tuple[Message, ...], bool]:
    """Draw a queue, its messages, and whether other queues' failures are put there."""
    retention = draw(st.integers(60, 14 * DAY))
    most = draw(st.none() | st.integers(1, 1000))
    fifo, letters = draw(st.booleans()), draw(st.booleans())
    found = []
    for _ in range(draw(st.integers(1, 5))):
        age = draw(st.floats(0, retention))
        here = draw(st.floats(0, age)) if letters else age
        receives = draw(st.integers(0, most if most is not None else 20))
        # A FIFO queue begins the retention anew with the move.
        found.append(Message(here if fifo else age, here, receives))
    facts = queue(
        ORDERS,
        visible=len(found),
        retention_s=retention,
        fifo=fifo,
        dlq_arn=None if most is None else "arn:aws:sqs:eu-central-1:111122223333:dead",
        max_receive_count=most,
    )
    return facts, tuple(found), letters


def told_age(facts: QueueFacts, messages: tuple[Message, ...]) -> float | None:
    """Return ApproximateAgeOfOldestMessage as AWS documents it."""
    seen = [m.here_s for m in messages if facts.fifo or m.receives < HIDDEN_FROM]
    return max(seen, default=None)


@given(queues(), st.booleans())
def test_of_a_queue(world: tuple[QueueFacts, tuple[Message, ...], bool], asked: bool) -> None:
    facts, messages, letters = world
    first_loss = NOW + facts.retention_s - max(m.age_s for m in messages)
    age = told_age(facts, messages)
    known = NotKnown("not answered", "cloudwatch:GetMetricData") if age is None else age
    dead: bool | NotKnown = letters if asked else NotKnown("denied", "sqs:ListDeadLetterSourceQueues")
    found = queue_deadline(facts, known, dead, NOW)
    assert found.at is None or found.at <= first_loss + 1e-3
    # What is said "at the latest" is no earlier than the truth.
    assert found.latest is None or found.latest >= first_loss - 1e-3
    assert found.at is not None or found.basis


@given(
    kind=st.sampled_from(["kinesis", "dynamodb"]),
    hours=st.integers(24, 8760),
    record_age=st.none() | st.just(-1) | st.integers(60, 604_800),
    age=st.floats(0, 604_800),
    before=st.floats(0, 86_400),
    read=st.booleans(),
)
def test_of_a_stream(
    kind: str, hours: int, record_age: int | None, age: float, before: float, read: bool
) -> None:
    """The age that is told is that of the last record of a batch; the first may be older by `before`."""
    retention = DAY if kind == "dynamodb" else hours * 3600
    m = mapping(source_kind=kind, source_arn=STREAM, max_record_age_s=record_age)
    limits = [retention] + ([record_age] if record_age is not None and record_age > 0 else [])
    first_loss = NOW + min(limits) - age - before
    found = stream_deadline(m, retention if read else DENIED, age, NOW)
    assert found.at is None or found.at <= first_loss + 1e-3
    assert found.latest is None or found.latest >= first_loss - 1e-3
    if read:
        assert found.latest == pytest.approx(first_loss + before)


def planned(name: str, s: MappingSituation) -> Plan:
    found = plan(name, s, {}, NOW, "p")
    assert isinstance(found, Plan), found
    return found


def stream(**fields: Any) -> MappingSituation:
    facts = mapping(source_kind="kinesis", source_arn=STREAM, **fields)
    ref = Ref(MAPPING, MAPPING.id, "clicks → orders-worker")
    return MappingSituation(ref, NOW, facts, None, 7 * DAY, 46 * 60.0, dead_letters=False)


def test_records_that_will_be_discarded_are_no_nothing() -> None:
    p = planned("disable_trigger", stream(max_record_age_s=3600))
    assert (p.deadline, p.deadline_latest) == (None, NOW + 14 * 60)
    assert (p.tier, p.confirm) == ("T2", "orders-worker")
    discarded = "records older than 60 min are DISCARDED (no destination records them)"
    assert f"{discarded} once it is enabled again" in p.lost
    assert "is lost in 14 min at the latest (MaximumRecordAgeInSeconds 3600" in p.lost
    assert "the first of its batch may be older" in p.lost
    told = planned("disable_trigger", stream(max_record_age_s=3600, on_failure_arn=STREAM)).lost
    assert "gets their position, not their data" in told


def test_without_a_record_age_the_retention_counts() -> None:
    p = planned("disable_trigger", stream(max_record_age_s=-1))
    assert (p.deadline_latest, p.tier, p.confirm) == (NOW + 7 * DAY - 46 * 60, "T1", "key")
    beyond = planned("disable_trigger", stream(max_record_age_s=604_800))
    assert beyond.deadline_latest == p.deadline_latest, "the retention is no longer than that"
    assert beyond.tier == "T1"


def test_enabling_says_what_it_discards() -> None:
    off = stream(max_record_age_s=3600, state="Disabled", last_modified=NOW - 5 * 3600)
    p = planned("enable_trigger", off)
    assert (p.tier, p.confirm) == ("T2", "orders-worker")
    assert p.lost.startswith(
        "records older than 60 min are DISCARDED (no destination records them); it has been as it is for 5 h"
    )
    plain = planned("enable_trigger", stream(state="Disabled"))
    assert (plain.tier, plain.lost.startswith("nothing;")) == ("T1", True)


def test_a_retention_that_was_not_read_is_no_promise() -> None:
    unread = replace(stream(), retention_s=DENIED)
    p = planned("disable_trigger", unread)
    assert (p.deadline, p.deadline_latest) == (None, None)
    assert DENIED.words in p.lost
    short = planned("disable_trigger", replace(stream(max_record_age_s=3600), retention_s=DENIED))
    assert short.deadline_latest == NOW + 14 * 60, "Kinesis keeps records for a day at least"
    long = planned("disable_trigger", replace(stream(max_record_age_s=600_000), retention_s=DENIED))
    assert (long.deadline, long.deadline_latest) == (None, NOW + 600_000 - 46 * 60)


def test_an_empty_queue_has_no_deadline() -> None:
    assert queue_deadline(queue(ORDERS), 5.0, False, NOW) == Deadline(basis="no message waits now")
