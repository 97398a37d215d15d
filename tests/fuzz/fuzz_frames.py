"""Fuzzes the frames of Live Tail: whatever comes, it is a list of sound events or a stream that broke off.

`make(rng)` gives bytes, `one(data)` takes them through the SDK's own event stream and ours, and raises on a
fault. `PYTHONPATH=tests python tests/fuzz/fuzz_frames.py SECONDS [SEED]` runs it by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import sys
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import botocore.loaders
from aiobotocore.eventstream import AioEventStream
from aiobotocore.parsers import AioJSONParser
from botocore.model import ServiceModel
from fakes.live_tail_stub import event_frame, exception_frame, frame
from fuzz.mutations import ODD, cut, deep, dumped, spoil

from lambdatop.aws.logs.raw_events import parsed
from lambdatop.aws.logs.tail_state import Tail
from lambdatop.aws.sdk.event_stream import live_update, whole_parts
from lambdatop.aws.sdk.session import parse_timestamp
from lambdatop.domain.errors import LambdatopError

PIECE = 100
_MODEL = ServiceModel(botocore.loaders.Loader().load_service_model("logs", "service-2"), "logs")
_SHAPE = _MODEL.operation_model("StartLiveTail").output_shape.members["responseStream"]
_GROUP = "123456789012:/aws/lambda/mail"


class _Raw:
    """The body of an answer, in pieces, as aiohttp hands it out."""

    def __init__(self, data: bytes) -> None:
        self.content = self
        self._data = data

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        for at in range(0, len(self._data), PIECE):
            yield self._data[at : at + PIECE], True

    def close(self) -> None:
        """Close nothing."""


def events_of(data: bytes) -> tuple[list[Any], str]:
    """Return events that these frames bring, and how the stream ended: "" at its end, or why it broke off."""
    return asyncio.run(_events(data))


async def _events(data: bytes) -> tuple[list[Any], str]:
    parser = AioJSONParser.EVENT_STREAM_PARSER_CLS(timestamp_parser=parse_timestamp)
    stream = AioEventStream(_Raw(data), _SHAPE, parser, "StartLiveTail")
    found: list[Any] = []
    try:
        async for part in whole_parts(stream, "logs", "StartLiveTail"):
            update = live_update(part)
            if update is not None:
                found += update[0]
    except (LambdatopError, ValueError) as error:
        return found, str(error) or "broken"
    return found, ""


def one(data: bytes) -> int:
    """Raise on a fault: another exception than the domain's, or an event that breaks what is made of it."""
    found, _ = events_of(data)
    tail = Tail()
    tail.take_live(1, found)
    tail.forget(1_800_000_000.0)
    lines = asyncio.run(parsed(found))
    assert len(lines) == len(found)
    json.dumps([line.text for line in lines], allow_nan=False)
    assert all(0 <= line.at < 1e12 for line in lines)
    return 1


def make(rng: random.Random) -> bytes:
    """Return some valid frames, spoiled in their payload, their headers or their bytes."""
    frames = [event_frame("initial-response", {}), *(_frame(rng) for _ in range(rng.randrange(1, 4)))]
    data = b"".join(frames)
    for _ in range(rng.choice((0, 0, 1, 3))):
        data = cut(data, rng)
    return data


def _frame(rng: random.Random) -> bytes:
    how = rng.randrange(9)
    if how == 0:
        return exception_frame(
            rng.choice(("SessionTimeoutException", "SessionStreamingException", "Odd", "")), "x"
        )
    if how == 1:
        return _announcing(rng)
    if how == 2:
        kind = rng.choice(("sessionUpdate", "sessionStart", "nobodyKnowsThis", "", "initial-response"))
        payload = rng.choice((b"", b"not json", b"\xff\xfe", b"null", b"[]", deep(rng).encode(), b"{" * 5000))
        return frame(_headers(kind, rng), payload)
    if how == 3:
        return _odd_header(rng)
    if how == 4:
        return event_frame(
            "sessionUpdate", {"sessionResults": rng.choice(ODD[:20]), "sessionMetadata": rng.choice(ODD[:20])}
        )
    payload = spoil(_update(rng), rng, rng.choice((0.0, 0.05, 0.3)))
    return frame(_headers("sessionUpdate", rng), dumped(payload).encode())


def _update(rng: random.Random) -> dict[str, Any]:
    events = [
        {
            "logGroupIdentifier": _GROUP,
            "logStreamName": "2027/01/15/[$LATEST]0123",
            "message": f"line {n}",
            "timestamp": 1_800_000_000_000 + n,
            "ingestionTime": 1_800_000_000_100 + n,
        }
        for n in range(rng.randrange(4))
    ]
    return {"sessionMetadata": {"sampled": rng.random() < 0.2}, "sessionResults": events}


def _headers(kind: str, rng: random.Random) -> dict[str, str]:
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    if rng.random() < 0.1:
        headers.pop(rng.choice(list(headers)))
    if rng.random() < 0.1:
        headers[rng.choice((":message-type", ":error-code", "x"))] = rng.choice(
            ("error", "exception", "", "y" * 300)
        )
    return headers


def _announcing(rng: random.Random) -> bytes:
    """Return a frame that announces more, or less, than it holds; its checksums are right."""
    total = rng.choice((0, 1, 15, 16, 1 << 20, (16 << 20) + 100, (1 << 32) - 1))
    prelude = struct.pack("!II", total, rng.choice((0, 5, 1 << 20, (1 << 32) - 1)))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + rng.randbytes(rng.randrange(40))
    return message + struct.pack("!I", zlib.crc32(message))


def _odd_header(rng: random.Random) -> bytes:
    """Return a header of a type that there is not, with a length that is wrong, or no text."""
    name = rng.choice((b":event-type", b"\xff\xff", b""))
    value = struct.pack("!BH", rng.randrange(12), rng.choice((0, 3, 65_535))) + b"\xff\xfeabc"
    head = struct.pack("!B", len(name)) + name + value
    prelude = struct.pack("!II", 12 + len(head) + 4, len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head
    return message + struct.pack("!I", zlib.crc32(message))


def run(seconds: float, seed: int) -> int:
    """Fuzz for so long; return the number of inputs.

    Raises the first fault, with the command that repeats it.
    """
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = make(random.Random(f"{seed}/{count}"))
        try:
            one(data)
        except BaseException:
            print(f"fault of seed {seed}/{count}: {data[:2000]!r}")
            raise
        count += 1
    return count


if __name__ == "__main__":
    print(f"{run(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)} inputs, no fault")
