"""Who may use the emulator: the run that started it, and nobody else.

The emulator executes what it is sent as the user who started the demo, so a request is looked at before any
part of the emulator or of the repairs sees it. It must carry the secret of this run, where AWS's clients put
their session token by themselves. Beside that it must not come from a web page, and must name the address
that the server listens on: a page may send requests to any address, and may make a name of its own
point to this one. Every refusal looks the same and holds nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

TOKEN_HEADER = "X-Amz-Security-Token"
"""Header of a signed request, and query parameter of a presigned one."""

_HEADER = TOKEN_HEADER.lower().encode()
_CORS = b"access-control-"


class Gate:
    """An ASGI application in front of another one."""

    def __init__(self, app: App, address: str, token: str) -> None:
        """Let through to ``app`` what carries ``token`` and names ``address`` (host:port) as its host."""
        self._app = app
        self._address = address.encode()
        self._token = token.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            # Nothing of the demo speaks WebSocket; closed before it is accepted, it is answered with 403.
            await send({"type": "websocket.close"})
        elif self._admits(scope):
            await self._app(scope, receive, _without_cors(send))
        else:
            headers = [(b"content-length", b"0"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    def _admits(self, scope: Message) -> bool:
        if scope["http_version"] not in ("1.0", "1.1") or not scope["raw_path"].startswith(b"/"):
            return False
        headers: list[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in scope["headers"]]
        if [value for name, value in headers if name == b"host"] != [self._address]:
            return False
        # Browsers add these by themselves, and no page can take them away.
        if any(
            name == b"origin" or (name == b"sec-fetch-site" and value != b"none") for name, value in headers
        ):
            return False
        tokens = [value for name, value in headers if name == _HEADER]
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens += [value.encode() for name, value in query if name == TOKEN_HEADER]
        return len(tokens) == 1 and hmac.compare_digest(tokens[0], self._token)


def _without_cors(send: Send) -> Send:
    """Drop what would let a web page read an answer: the emulator offers each of them to every page."""

    async def without(message: Message) -> None:
        if "headers" in message:
            kept = [(n, v) for n, v in message["headers"] if not n.lower().startswith(_CORS)]
            message = {**message, "headers": kept}
        await send(message)

    return without
