"""A server that answers AWS's requests and is never done: it drips, or pours without end.

`python trickle.py DIRECTORY MODE` runs it by itself: it writes its port into DIRECTORY/port and each
operation that it was asked for into DIRECTORY/asked. In the modes of `SLOW_CALLS` only those operations drip.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

DRIP_S = 0.2
ENDLESS = ("endless", "endless chunked", "declared", "gzip")
SLOW_CALLS = {
    "change": "PutFunctionConcurrency",
    "fresh read": "GetFunctionConcurrency",
    "identity": "GetCallerIdentity",
}
FUNCTION = {
    "FunctionName": "mail",
    "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:mail",
    "Runtime": "python3.12",
    "Handler": "app.handler",
    "Timeout": 3,
    "MemorySize": 128,
    "Version": "$LATEST",
    "State": "Active",
    "LastModified": "2026-11-01T10:00:00.000+0000",
}
IDENTITY = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws:sts::123456789012:assumed-role/ops/ann</Arn><UserId>x</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Trickle:
    """`mode` says how each answer goes wrong; `effects` are the changes that were carried out."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.asked: list[str] = []
        self.poured = 0
        self.reserved: int | None = None
        self.url = ""
        self.hung_up = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Trickle:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for _turn in range(5):  # what was accepted at the last moment becomes a connection
            await asyncio.sleep(0)
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                found = re.search(r"content-length: *(\d+)", head, re.I)
                body = await reader.readexactly(int(found.group(1))) if found else b""
                await self._answer(head, body, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            self._writers.discard(writer)
            writer.close()

    def note(self, operation: str) -> None:
        """Remember what was asked for."""
        self.asked.append(operation)

    async def _answer(
        self, head: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        operation, answer = self._known(head, body)
        self.note(operation)
        if self.mode in ENDLESS:
            await self._pour(writer)
        elif self.mode == "head":
            await self._drip(reader, writer, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        elif SLOW_CALLS.get(self.mode, operation) == operation:
            writer.write(_head(len(answer), operation))
            await self._drip(reader, writer, answer)
        else:
            writer.write(_head(len(answer), operation) + answer)
            await writer.drain()

    def _known(self, head: str, body: bytes) -> tuple[str, bytes]:
        """Return the operation, executed, and its answer."""
        if b"GetCallerIdentity" in body:
            return "GetCallerIdentity", IDENTITY.encode()
        method, path = head.split()[:2]
        if path.endswith("/concurrency") and method != "GET":
            value = json.loads(body)["ReservedConcurrentExecutions"] if method == "PUT" else None
            self.reserved = value
            operation = "PutFunctionConcurrency" if value is not None else "DeleteFunctionConcurrency"
            return operation, json.dumps({"ReservedConcurrentExecutions": value}).encode()
        if path.endswith("/concurrency"):
            held = {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}
            return "GetFunctionConcurrency", json.dumps(held).encode()
        if "/configuration" in path:
            return "GetFunctionConfiguration", json.dumps(FUNCTION).encode()
        if path.split("?")[0].rstrip("/").endswith("/functions"):
            return "ListFunctions", json.dumps({"Functions": [FUNCTION]}).encode()
        return f"{method} {path}", b"{}"

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send a byte now and then, without end: the last byte never comes."""
        for byte in data[:-1]:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(DRIP_S)
        await reader.read(1)
        raise ConnectionResetError

    async def _pour(self, writer: asyncio.StreamWriter) -> None:
        words = {
            "endless": "",
            "endless chunked": "Transfer-Encoding: chunked\r\n",
            "declared": f"Content-Length: {1 << 40}\r\n",
            "gzip": "Content-Encoding: gzip\r\n",
        }[self.mode]
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{words}\r\n".encode())
        piece = b" " * (1 << 20)
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece) if "chunked" in self.mode else piece
        while True:
            writer.write(chunk)
            self.poured += len(piece)
            await writer.drain()


def _head(length: int, operation: str) -> bytes:
    kind = "text/xml" if operation == "GetCallerIdentity" else "application/json"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


async def main(directory: Path, mode: str) -> None:
    """Serve until killed."""
    async with Trickle(mode) as server:

        def note(operation: str) -> None:
            with (directory / "asked").open("a") as file:
                file.write(f"{operation}\n")

        server.note = note  # type: ignore[method-assign]
        (directory / "port.new").write_text(server.url)
        (directory / "port.new").rename(directory / "port")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
