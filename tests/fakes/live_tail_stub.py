"""A wire stub that also speaks AWS's event-stream encoding, for `logs:StartLiveTail`.

Every started session stands in `sessions`; a test tells each of them what to send, and how to end.
"""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from botocore.model import OperationModel
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Answer, Fault, WireStub

EVENT_STREAM = "application/vnd.amazon.eventstream"
_STRING = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message: prelude with its CRC, headers, payload, CRC of everything before."""
    head = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 12 + len(head) + len(payload) + 4, len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event_frame(kind: str, payload: Mapping[str, Any]) -> bytes:
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    return frame(headers, json.dumps(payload).encode())


def exception_frame(kind: str, message: str) -> bytes:
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return frame(headers, json.dumps({"message": message}).encode())


class LiveSession:
    """One open session, seen from AWS's side."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.groups: list[str] = list(params["logGroupIdentifiers"])
        self.closed = asyncio.Event()
        """Set when nobody listens any more."""
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._frames.put_nowait(event_frame("initial-response", {}))

    def begin(self) -> None:
        started = {"requestId": "r", "sessionId": "s", "logGroupIdentifiers": self.groups}
        self._frames.put_nowait(event_frame("sessionStart", started))

    def update(self, events: Iterable[Mapping[str, Any]] = (), *, sampled: bool = False) -> None:
        """Send one update.

        Events as FilterLogEvents has them go to the first group unless they name another.
        """
        results = [
            {"logGroupIdentifier": self.groups[0], "ingestionTime": e.get("timestamp"), **e} for e in events
        ]
        for result in results:
            result.pop("eventId", None)
        update = {"sessionMetadata": {"sampled": sampled}, "sessionResults": results}
        self._frames.put_nowait(event_frame("sessionUpdate", update))

    def expire(self) -> None:
        """End the session as after three hours."""
        self._frames.put_nowait(exception_frame("SessionTimeoutException", "Session timed out"))

    def fail(self) -> None:
        self._frames.put_nowait(exception_frame("SessionStreamingException", "internal"))

    def send(self, data: bytes) -> None:
        """Send any bytes."""
        self._frames.put_nowait(data)

    def drop(self) -> None:
        """Tear the connection down."""
        self._frames.put_nowait(None)

    async def run(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM})
        await response.prepare(request)
        try:
            await self._pass_on(request, response)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.closed.set()
        return response

    async def _pass_on(self, request: web.Request, response: web.StreamResponse) -> None:
        assert request.transport is not None
        while True:
            getter = asyncio.ensure_future(self._frames.get())
            while not getter.done():
                # aiohttp tells a handler that waits nothing of a listener that has gone.
                await asyncio.wait([getter], timeout=0.02)
                if request.transport is None or request.transport.is_closing():
                    getter.cancel()
                    return
            data = getter.result()
            if data is None:
                request.transport.abort()
                return
            await response.write(data)


class LiveTailStub(WireStub):
    """`refusals` are answered first, one a start; after them every start opens a session.

    A session says that it has begun at once, unless `silent`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[LiveSession] = []
        self.refusals: list[Fault] = []
        self.silent = False
        self._opened = asyncio.Event()
        self.on("logs", "StartLiveTail", self._start)

    async def __aenter__(self) -> LiveTailStub:
        await super().__aenter__()
        return self

    def _start(self, params: dict[str, Any]) -> Answer:
        return self.refusals.pop(0) if self.refusals else params

    async def _answer(
        self, request: web.Request, operation: OperationModel, answer: Answer
    ) -> web.StreamResponse:
        if operation.name != "StartLiveTail" or not isinstance(answer, dict):
            return await super()._answer(request, operation, answer)
        session = LiveSession(answer)
        self.sessions.append(session)
        if not self.silent:
            session.begin()
        self._opened.set()
        return await session.run(request)

    async def session(self, number: int) -> LiveSession:
        """Return the `number`-th session (from 1), when it has been started."""
        while len(self.sessions) < number:
            self._opened.clear()
            await asyncio.wait_for(self._opened.wait(), PATIENCE_S)
        return self.sessions[number - 1]
