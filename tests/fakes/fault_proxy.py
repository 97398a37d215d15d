"""A proxy between lambdatop and an endpoint that breaks what passes, by a schedule or on demand.

Real sockets, one thread. What it does to a request is a `Trouble`; which one, the current `phase` says: a
name of `PHASES`. Without a phase everything passes unchanged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from fakes.time_limit import PATIENCE_S

HEAD_LIMIT = 256 * 1024
SLOW_PIECES = 8
SLOW_PAUSE_S = 0.15
SKEW = timedelta(hours=3)
XML_SERVICES = frozenset({"sts", "iam", "sns", "s3", "monitoring"})
_SERVICE = re.compile(rb"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request", re.I)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.I)
_HOST = re.compile(rb"\r\n[Hh]ost: [^\r]+")
_DATE = re.compile(rb"\r\n[Dd]ate: [^\r]+")
_TYPE = re.compile(rb"\r\n[Cc]ontent-[Tt]ype: [^\r]+")


@dataclass(frozen=True)
class Trouble:
    """One way to spoil an answer. `share` of the requests meet it, the others pass."""

    name: str
    share: float = 1.0


PHASES: tuple[Trouble, ...] = (
    Trouble("server error", 0.7),
    Trouble("reset", 0.7),
    Trouble("slow body"),
    Trouble("truncated", 0.7),
    Trouble("garbage", 0.7),
    Trouble("wrong type", 0.7),
    Trouble("html page", 0.7),
    Trouble("expired token"),
    Trouble("clock skew"),
    Trouble("refused"),
    Trouble("throttling", 0.7),
    Trouble("too many", 0.7),
)
"""Everything it can do, in the order in which a soak does it. `refused` closes the port, as a name that no
longer resolves or a host that is gone would look. Throttling comes last: lambdatop
asks less often for long after it."""

_CODES = {
    "throttling": (400, "ThrottlingException", "Rate exceeded"),
    "too many": (429, "TooManyRequestsException", "Rate exceeded"),
    "server error": (503, "ServiceUnavailable", "The service is unavailable"),
    "expired token": (403, "ExpiredTokenException", "The security token included in the request is expired"),
    "clock skew": (403, "RequestTimeTooSkewed", "The difference between request time and now is too large"),
}
_GARBAGE = b'{"Functions": [{"FunctionName": "\x1b]52;c;UFdORUQ=\x07\xff\xfe\x00 and then nothing'
_PAGE = b"<html><head><title>Sign in to the guest network</title></head><body>PWNED</body></html>"


class FaultProxy:
    """Start with `running`. `phase` may be set at any time, from any thread."""

    def __init__(self, host: str, port: int, seed: int = 7) -> None:
        self.phase: Trouble | None = None
        self.met: Counter[str] = Counter()
        self.passed = 0
        self.open = 0
        self.url = ""
        self._target = (host, port)
        self._dice = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Open the port; the same one again after `deaf`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=HEAD_LIMIT)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def deaf(self) -> None:
        """Close the port and every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.open += 1
        try:
            while (request := await _message(reader)) is not None:
                if not await self._answer(request, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away, which is its right
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; return whether the connection goes on."""
        trouble = self.phase
        if trouble is None or self._dice.random() >= trouble.share:
            self.passed += 1
            writer.write(await self._forward(request))
            await writer.drain()
            return True
        self.met[trouble.name] += 1
        if trouble.name in _CODES:
            writer.write(_refusal(request, *_CODES[trouble.name], skewed=trouble.name == "clock skew"))
        elif trouble.name == "reset":
            writer.transport.abort()
            return False
        elif trouble.name == "html page":
            writer.write(_response(200, "text/html", _PAGE))
        elif trouble.name == "garbage":
            writer.write(_response(200, "application/json", _GARBAGE))
        else:
            return await self._mangle(trouble.name, await self._forward(request), writer)
        await writer.drain()
        return True

    async def _mangle(self, how: str, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        head, mark, body = answer.partition(b"\r\n\r\n")
        if how == "wrong type":
            writer.write(_TYPE.sub(b"\r\nContent-Type: image/png", head) + mark + body)
            await writer.drain()
            return True
        if how == "truncated":
            writer.write(head + mark + body[: len(body) // 2])
            await writer.drain()
            return False
        writer.write(head + mark)
        step = max(1, len(body) // SLOW_PIECES)
        for begin in range(0, len(body), step):
            await asyncio.sleep(SLOW_PAUSE_S)
            writer.write(body[begin : begin + step])
            await writer.drain()
        return True

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._target, limit=HEAD_LIMIT)
        try:
            # As whoever stands in front of the emulator must: it serves its own address only.
            writer.write(
                _HOST.sub(b"\r\nHost: %b:%d" % (self._target[0].encode(), self._target[1]), request, count=1)
            )
            await writer.drain()
            answer = await _message(reader)
            return answer if answer is not None else _response(502, "text/plain", b"")
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """Return one whole HTTP message, head and body as they came; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    if found := _LENGTH.search(head):
        return head + await reader.readexactly(int(found.group(1)))
    if not _CHUNKED.search(head):
        return head
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        piece = await reader.readexactly(int(size.split(b";")[0], 16) + 2)
        body += size + piece
        if piece == b"\r\n":
            return head + body


def _response(status: int, type_: str, body: bytes, date: datetime | None = None) -> bytes:
    stamp = format_datetime(date or datetime.now(UTC), usegmt=True)
    head = f"HTTP/1.1 {status} X\r\nDate: {stamp}\r\nContent-Type: {type_}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _refusal(request: bytes, status: int, code: str, message: str, *, skewed: bool) -> bytes:
    """Return an error in the shape that AWS gives it in the service's protocol."""
    found = _SERVICE.search(request)
    date = datetime.now(UTC) + SKEW if skewed else None
    if found and found.group(1).decode() in XML_SERVICES:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{text}</ErrorResponse>"
        return _response(status, "text/xml", text.encode(), date)
    body = json.dumps({"__type": code, "message": message}).encode()
    return _response(status, "application/json", body, date)


class Steering:
    """What a blocking test may do to the proxy in its thread."""

    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.proxy = proxy
        self._loop = loop

    def begin(self, trouble: Trouble | None) -> None:
        """Begin this trouble, and end any other; None: all is well."""
        was, self.proxy.phase = self.proxy.phase, trouble
        if trouble is not None and trouble.name == "refused":
            self.proxy.met[trouble.name] += 1
            self._do(self.proxy.deaf)
        elif was is not None and was.name == "refused":
            self._do(self.proxy.listen)

    def _do(self, what: Callable[[], object]) -> None:
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(10)  # type: ignore[arg-type]


@contextmanager
def running(host: str, port: int, seed: int = 7) -> Iterator[Steering]:
    """Run the proxy in a thread while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    proxy = FaultProxy(host, port, seed)
    try:
        asyncio.run_coroutine_threadsafe(proxy.listen(), loop).result(10)
        yield Steering(proxy, loop)
    finally:
        asyncio.run_coroutine_threadsafe(proxy.deaf(), loop).result(10)
        asyncio.run_coroutine_threadsafe(_ended(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended() -> None:
    """Let what was torn down come to its end, so that no task is left when the loop goes."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), PATIENCE_S)
