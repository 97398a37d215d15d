"""Check whether an endpoint answers, how fast, and its clock, by one unsigned HEAD: not an AWS operation.

It carries no credentials and no data, so it may be sent before anything else is known to work.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from lambdatop.domain.sanitize import clean_line

HEAD_MAX = 16_384


class Probe(Struct, frozen=True):
    """`ms` from the first packet to the answer; `ahead_s` how far our clock is ahead of the answer's Date.

    `problem` says what went wrong, "" when something answered.
    """

    ms: float = 0.0
    ahead_s: float | None = None
    problem: str = ""


async def probe(url: str, proxy: str, tls: ssl.SSLContext, wait_s: float) -> Probe:
    """Ask once, at most `wait_s`; `proxy` is "" for the direct way."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(wait_s):
            sent, head = await _ask(urlsplit(url), urlsplit(proxy) if proxy else None, tls)
    except TimeoutError:
        return Probe(problem=f"no answer within {wait_s:g} s")
    except ssl.SSLCertVerificationError as error:
        return Probe(problem=f"its certificate is not trusted ({clean_line(error.verify_message, 120)})")
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        return Probe(problem=_words(error))
    if not head.startswith(b"HTTP/"):
        return Probe(problem="what answers there does not speak HTTP")
    return Probe((time.monotonic() - begun) * 1000, _ahead_s(head, sent, time.time()))


async def _ask(url: SplitResult, proxy: SplitResult | None, tls: ssl.SSLContext) -> tuple[float, bytes]:
    """Return when the request was sent (s since the epoch), and the head of the answer."""
    secure, host = url.scheme == "https", url.hostname or ""
    port = url.port or (443 if secure else 80)
    first = proxy or url
    hop, hop_port = first.hostname or "", first.port or (443 if first.scheme == "https" else 80)
    address = await _resolved(hop, hop_port)
    outer = tls if first.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        *address, ssl=outer, server_hostname=hop if outer else None, limit=HEAD_MAX
    )
    try:
        if proxy and secure:
            writer.write(
                f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{_pass(proxy)}\r\n".encode()
            )
            status = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
            if b" 200" not in status:
                raise OSError(f"the proxy refuses: {clean_line(status.decode('latin-1'), 80)}")
            await writer.start_tls(tls, server_hostname=host)
        path = url.geturl() if proxy and not secure else "/"
        sent = time.time()
        writer.write(f"HEAD {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        return sent, await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()  # nothing more is needed, so it is not closed in order
        await asyncio.sleep(0)  # the socket is released in the loop's next turn


async def _resolved(host: str, port: int) -> tuple[str, int]:
    """Return an address of a host, looked up in a thread that nobody waits for when it hangs.

    The loop's own executor is joined at exit: a name server that does not answer would block the command.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[str, int]] = loop.create_future()

    def tell(address: tuple[str, int] | None, error: OSError | None) -> None:
        if found.done():
            return
        if address is not None:
            found.set_result(address)
        else:
            found.set_exception(error or OSError("no address"))

    def look_up() -> None:
        answer: tuple[tuple[str, int] | None, OSError | None]
        try:
            place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
            answer = (str(place[0]), int(place[1])), None
        except OSError as error:
            answer = None, error
        except UnicodeError:
            answer = None, OSError("that is not a host name")
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, *answer)

    threading.Thread(target=look_up, daemon=True).start()
    return await found


def _pass(proxy: SplitResult) -> str:
    if proxy.username is None:
        return ""
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"


def _words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses connections"
    if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError):
        return "what answers there does not speak HTTP"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({clean_line(error.reason or 'no reason', 80)})"
    return clean_line(str(getattr(error, "strerror", None) or error), 120)


def _ahead_s(head: bytes, sent: float, received: float) -> float | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"date":
            try:
                there = parsedate_to_datetime(value.decode("latin-1").strip()).timestamp()
            except (ValueError, OverflowError):
                return None
            # The header gives whole seconds: half a second has passed on average.
            return (sent + received) / 2 - (there + 0.5)
    return None
