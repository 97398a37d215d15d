"""A server that counts: connections, and requests on them. It understands nothing and says no to all."""

from __future__ import annotations

import asyncio


class CountingServer:
    """Start with `async with`; answers 400, or a redirect to `redirect_to` when that is set."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0
        self.redirect_to = ""
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> CountingServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self._swallow(head, reader)
            where = self.redirect_to
            line = f"HTTP/1.1 307 Elsewhere\r\nLocation: {where}/x\r\n" if where else "HTTP/1.1 400 No\r\n"
            writer.write(f"{line}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _swallow(self, head: bytes, reader: asyncio.StreamReader) -> None:
        """Take the body: a connection closed on unread bytes is reset, and its answer lost."""
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"expect:"):
                return
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
            if line.startswith(b"transfer-encoding: chunked"):
                while (await reader.readuntil(b"\r\n")) != b"0\r\n":
                    await reader.readuntil(b"\r\n")
