"""Retention of the streams behind mappings: in turn, seldom, and what may not be read hides no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Answer, Fault, Hang, WireStub

from lambdatop.aws.collectors.streams import AGAIN_AFTER, PER_ROUND, StreamsSource
from lambdatop.domain.errors import Denied, Throttled
from lambdatop.domain.facts.event_source_mapping import MappingFacts, StreamFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.sources import STREAMS
from lambdatop.domain.state.events import GapsObserved, MappingsListed, StreamsObserved
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/carts"
NO = Fault("AccessDeniedException")


def _world(*arns: str) -> World:
    f = Key(SCOPE, "function", "f")
    mappings = tuple(
        MappingFacts(Key(SCOPE, "mapping", str(i)), f, "arn", arn, arn.split(":")[2], "Enabled")
        for i, arn in enumerate(arns)
    )
    return fold(EMPTY_WORLD, MappingsListed(SCOPE, 1.0, mappings))


def _summary(hours: int = 24, shards: int = 1) -> dict[str, Any]:
    fixed = {"StreamName": "s", "StreamARN": "a", "StreamStatus": "ACTIVE", "EnhancedMonitoring": []}
    varying = {"RetentionPeriodHours": hours, "OpenShardCount": shards, "StreamCreationTimestamp": 1}
    return {"StreamDescriptionSummary": fixed | varying}


def _asked(stub: WireStub) -> list[str]:
    return [p["StreamARN"].rsplit("/", 1)[1] for p in stub.calls("DescribeStreamSummary")]


async def test_kinesis_is_asked_dynamodb_is_known(stub: WireStub, bench: MakeBench) -> None:
    stub.on("kinesis", "DescribeStreamSummary", _summary(168, 4))
    made = bench()
    consumer = f"{STREAM}clicks/consumer/fan-out:1700000000"
    world = _world(f"{STREAM}clicks", consumer, f"{TABLE}/stream/2026-01-01T00:00:00.000")
    source = StreamsSource(made.api, SCOPE)
    (event,) = await source.collect(made.view(world))
    assert isinstance(event, StreamsObserved)
    clicks = StreamFacts(Key(SCOPE, "stream", "clicks"), f"{STREAM}clicks", "kinesis", 604_800, 4)
    assert event.streams == (StreamFacts(Key(SCOPE, "table", "carts"), TABLE, "dynamodb", 86_400), clicks)
    assert _asked(stub) == ["clicks"]
    world = fold(world, event)
    for _ in range(AGAIN_AFTER - 1):
        assert await source.collect(made.view(world)) == ()
    (event,) = await source.collect(made.view(world))
    assert isinstance(event, StreamsObserved)
    assert event.streams == (clicks,)
    assert _asked(stub) == ["clicks", "clicks"]


async def test_many_streams_take_turns(stub: WireStub, bench: MakeBench) -> None:
    stub.on("kinesis", "DescribeStreamSummary", _summary())
    made = bench()
    view = made.view(_world(*(f"{STREAM}s{i:02d}" for i in range(25))))
    source = StreamsSource(made.api, SCOPE)
    for n in (PER_ROUND, PER_ROUND, 5):
        (event,) = await source.collect(view)
        assert isinstance(event, StreamsObserved)
        assert len(event.streams) == n
    assert len(set(_asked(stub))) == 25


async def test_a_stream_that_was_throttled_or_is_being_read_has_not_been_asked(
    stub: WireStub, bench: MakeBench
) -> None:
    reached = asyncio.Event()
    answers: list[Answer] = [_summary(), Fault("ThrottlingException", status=400), Hang(reached.set)]

    def answer(params: dict[str, str]) -> Answer:
        late = params["StreamARN"].endswith("b")
        return answers[2 if late and source._round == 2 else 1 if late else 0]

    stub.on("kinesis", "DescribeStreamSummary", answer)
    made = bench()
    view, source = made.view(_world(f"{STREAM}a", f"{STREAM}b")), StreamsSource(made.api, SCOPE)
    await source.collect(view)
    left = (Gap("streams", STREAMS.action, None, "not asked", 1),)
    assert source.unasked(view) == left
    asking = asyncio.ensure_future(source.collect(view))
    await reached.wait()
    assert source.unasked(view) == left
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_one_denied_or_deleted_stream_hides_no_other(stub: WireStub, bench: MakeBench) -> None:
    answers: dict[str, Answer] = {
        "a-theirs": NO,
        "b-gone": Fault("ResourceNotFoundException"),
        "c": _summary(),
    }
    stub.on("kinesis", "DescribeStreamSummary", lambda p: answers[p["StreamARN"].rsplit("/", 1)[1]])
    made = bench()
    foreign = f"arn:aws:kinesis:{REGION}:999999999999:stream/a-theirs"
    view = made.view(_world(foreign, f"{STREAM}b-gone", f"{STREAM}c"))
    event, told = await StreamsSource(made.api, SCOPE).collect(view)
    assert isinstance(event, StreamsObserved)
    assert isinstance(told, GapsObserved)
    assert [s.key.id for s in event.streams] == ["c"]
    assert told.gaps == (Gap("streams", "kinesis:DescribeStreamSummary", "a-theirs", "denied"),)
    (key,) = await _keys(stub, bench, foreign)
    assert key.scope == Scope("999999999999", REGION)


async def _keys(stub: WireStub, bench: MakeBench, arn: str) -> list[Key]:
    stub.on("kinesis", "DescribeStreamSummary", _summary())
    made = bench()
    (event,) = await StreamsSource(made.api, SCOPE).collect(made.view(_world(arn)))
    assert isinstance(event, StreamsObserved)
    return [s.key for s in event.streams]


async def test_denied_stays_denied_and_tables_are_known_all_the_same(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("kinesis", "DescribeStreamSummary", NO)
    made = bench()
    source, world = StreamsSource(made.api, SCOPE), _world(f"{STREAM}s", f"{TABLE}/stream/1")
    event, told = await source.collect(made.view(world))
    assert isinstance(event, StreamsObserved)
    assert isinstance(told, GapsObserved)
    assert [s.source_kind for s in event.streams] == ["dynamodb"]
    world = fold(world, event)
    for _ in range(3):
        with pytest.raises(Denied, match="kinesis:DescribeStreamSummary"):
            await source.collect(made.view(world))


@pytest.mark.parametrize("code", ["LimitExceededException", "ThrottlingException"])
async def test_a_throttled_round_stops_asking(stub: WireStub, bench: MakeBench, code: str) -> None:
    stub.on("kinesis", "DescribeStreamSummary", Fault(code))
    made = bench()
    view = made.view(_world(*(f"{STREAM}s{i}" for i in range(9))))
    with pytest.raises(Throttled):
        await StreamsSource(made.api, SCOPE).collect(view)
    assert len(stub.received) == 1


async def test_without_streams_nothing_is_asked(stub: WireStub, bench: MakeBench) -> None:
    made = bench()
    view = made.view(_world(f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"))
    assert await StreamsSource(made.api, SCOPE).collect(view) == ()
    assert stub.received == []
