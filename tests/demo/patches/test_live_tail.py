"""StartLiveTail of the emulator: what functions print comes once a second, and its limits are AWS's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from demo.clients import Aws, wait_for
from fakes.aws_doubles import Counter, HandClock, Tokens
from fakes.time_limit import PATIENCE_S

from lambdatop.aws.connect import connect
from lambdatop.aws.logs.collector import LogsSource
from lambdatop.aws.sdk.connection import Connection
from lambdatop.demo.patches.live_tail import SESSIONS, UPDATE_EVENTS
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import FunctionsListed, LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

pytestmark = pytest.mark.wire

GROUP = "/tail/me"


def _arn(aws: Aws, group: str = GROUP) -> str:
    return f"arn:aws:logs:{aws.demo.region}:{aws.demo.account}:log-group:{group}"


def _put(aws: Aws, messages: list[str], at: int = 1_800_000_000_000) -> None:
    events = [{"timestamp": at + i, "message": m} for i, m in enumerate(messages)]
    aws.logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


@contextlib.contextmanager
def _tail(aws: Aws, **more: Any) -> Iterator[Any]:
    stream = aws.logs.start_live_tail(logGroupIdentifiers=[_arn(aws)], **more)["responseStream"]
    try:
        yield iter(stream)
    finally:
        stream.close()


@pytest.fixture
def group(aws: Aws) -> str:
    aws.logs.create_log_group(logGroupName=GROUP)
    aws.logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    return GROUP


def _updates(parts: Any) -> Iterator[dict[str, Any]]:
    for part in parts:
        if part.get("sessionUpdate", {}).get("sessionResults"):
            yield part["sessionUpdate"]


def test_many_small_writes_come_in_one_update_and_none_is_lost(aws: Aws, group: str) -> None:
    with _tail(aws) as parts:
        assert "sessionStart" in next(parts)
        for n in range(40):
            _put(aws, [f"line {n}"], at=1_800_000_000_000 + n)
        seen: list[str] = []
        updates = 0
        for update in _updates(parts):
            updates += 1
            assert update["sessionMetadata"]["sampled"] is False
            seen += [e["message"] for e in update["sessionResults"]]
            if len(seen) >= 40:
                break
    assert seen == [f"line {n}" for n in range(40)]
    assert updates < 20


def test_more_than_500_events_a_second_are_sampled(aws: Aws, group: str) -> None:
    with _tail(aws, logEventFilterPattern="line") as parts:
        assert "sessionStart" in next(parts)
        _put(aws, [f"line {n}" for n in range(UPDATE_EVENTS + 1)])
        update = next(_updates(parts))
    assert update["sessionMetadata"]["sampled"] is True
    assert len(update["sessionResults"]) == UPDATE_EVENTS


def test_a_group_of_another_class_is_refused(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName="/rare", logGroupClass="INFREQUENT_ACCESS")
    with pytest.raises(ClientError, match="InvalidOperationException"):
        aws.logs.start_live_tail(logGroupIdentifiers=[_arn(aws, "/rare")])


def test_a_pattern_that_is_not_evaluated_is_refused(aws: Aws, group: str) -> None:
    with pytest.raises(ClientError, match="does not evaluate"):
        aws.logs.start_live_tail(logGroupIdentifiers=[_arn(aws)], logEventFilterPattern="{ $.a = 1 }")


def test_fifteen_sessions_and_no_more_until_one_is_closed(aws: Aws, group: str) -> None:
    with contextlib.ExitStack() as first, contextlib.ExitStack() as rest:
        for n in range(SESSIONS):
            next((first if n == 0 else rest).enter_context(_tail(aws)))
        with pytest.raises(ClientError, match="LimitExceededException"):
            aws.logs.start_live_tail(logGroupIdentifiers=[_arn(aws)])
        first.close()

        def again() -> bool:
            with contextlib.suppress(ClientError):
                next(rest.enter_context(_tail(aws)))
                return True
            return False

        assert wait_for(again)


async def test_the_source_tails_a_function_live_and_each_line_comes_once(aws: Aws) -> None:
    name = aws.function("chatty", "def handler(event, context):\n    print('said', event['n'])\n")
    aws.invoke(name, {"n": 0})
    backend = await connect(
        Connection(
            region=aws.demo.region,
            endpoint_url=aws.demo.endpoint_url,
            access_key=aws.demo.access_key,
            secret_key=aws.demo.secret_key,
            session_token=aws.demo.session_token,
            isolated=True,
            read_only=True,
        ),
        settings=Settings(),
        limiter=Tokens(),
        meter=Counter(),
        clock=HandClock(),
    )
    sources = {source.name: source for source in backend.sources}
    source = sources["logs"]
    assert isinstance(source, LogsSource)
    woken = asyncio.Event()
    source.live.woken = woken.set
    listed = await sources["functions"].collect(View(0.0))
    assert isinstance(listed[0], FunctionsListed)
    world = fold_all(EMPTY_WORLD, listed)
    keys = frozenset(f.key for f in listed[0].functions)
    told: list[LogsObserved] = []

    async def collect() -> LogsObserved:
        woken.clear()
        events = await source.collect(View(0.0, world, keys, live=keys))
        told.extend(e for e in events if isinstance(e, LogsObserved))
        return told[-1]

    try:
        await collect()
        async with asyncio.timeout(PATIENCE_S):
            while source.live.session(f"/aws/lambda/{name}") is None:
                await woken.wait()
            await asyncio.to_thread(aws.invoke, name, {"n": 1})
            while (await collect()).via != "live tail" or "said 1" not in _texts(told):
                await woken.wait()
    finally:
        await backend.close()
    said = [text for text in _texts(told) if text.startswith("said")]
    assert said == ["said 0", "said 1"]


def _texts(told: list[LogsObserved]) -> list[str]:
    return [line.text for event in told for line in event.lines]
