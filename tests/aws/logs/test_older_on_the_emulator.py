"""Older pages on the emulator, through a whole connection."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from fakes.aws_doubles import Counter, HandClock, Tokens

from lambdatop.aws.connect import connect
from lambdatop.aws.logs import history
from lambdatop.aws.sdk.connection import Connection
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings

pytestmark = [pytest.mark.wire, pytest.mark.sdk]
GROUP = "/aws/lambda/worker"
LINES = 300


def _write(demo: Demo, now_ms: int) -> None:
    """Write twelve lines a second in two streams, five of them in one millisecond; the oldest is 25 s old."""
    import boto3

    logs: Any = boto3.client(
        "logs",
        endpoint_url=demo.endpoint_url,
        region_name=demo.region,
        aws_access_key_id=demo.access_key,
        aws_secret_access_key=demo.secret_key,
        aws_session_token=demo.session_token,
    )
    logs.create_log_group(logGroupName=GROUP)
    for stream in range(2):
        name = f"2027/01/15/[$LATEST]{stream:032x}"
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        events = [
            {"timestamp": now_ms - 25_000 + n // 12 * 1000 + max(0, n % 12 - 5), "message": f"line {n}"}
            for n in range(LINES)
            if n % 2 == stream
        ]
        logs.put_log_events(logGroupName=GROUP, logStreamName=name, logEvents=events)


async def test_every_line_once_and_then_the_end(emulator: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE_LINES", 40)
    monkeypatch.setattr(history, "LEAST_LINES", 40)
    now = time.time()
    await asyncio.to_thread(_write, emulator, int(now * 1000))
    connection = Connection(
        region=emulator.region,
        endpoint_url=emulator.endpoint_url,
        access_key=emulator.access_key,
        secret_key=emulator.secret_key,
        session_token=emulator.session_token,
        isolated=True,
        read_only=True,
    )
    backend = await connect(
        connection, settings=Settings(), limiter=Tokens(), meter=Counter(), clock=HandClock()
    )
    try:
        assert backend.history is not None
        function = FunctionFacts(Key(backend.identified.scope, "function", "worker"), "arn", log_group=GROUP)
        before, texts, pages, end = now, list[str](), 0, False
        while not end:
            older = await backend.history.older([function], before, ())
            texts = [line.text for _, line in older.lines] + texts
            before, end, pages = older.before, older.end, pages + 1
            assert pages < 30
    finally:
        await backend.close()
    assert sorted(texts, key=lambda text: int(text.split()[1])) == [f"line {n}" for n in range(LINES)]
    assert pages > 5
