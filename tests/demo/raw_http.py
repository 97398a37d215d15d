"""Requests as bytes, and what comes back until the server closes the connection."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import zipfile
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lambdatop.demo.process.launch import Demo

FUNCTIONS = "/2015-03-31/functions"
TOKEN = "X-Amz-Security-Token"
_TIMEOUT_S = 10.0


def creation(name: str) -> bytes:
    """Return the body of a CreateFunction that anybody could send."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'ran'\n")
    request = {
        "FunctionName": name,
        "Role": "arn:aws:iam::123456789012:role/test",
        "Handler": "app.handler",
        "Runtime": "python3.12",
        "Code": {"ZipFile": base64.b64encode(buffer.getvalue()).decode()},
    }
    return json.dumps(request).encode()


@dataclass(frozen=True)
class Request:
    """A request whose parts a test may change one by one. Headers may stand there twice."""

    headers: tuple[tuple[str, str], ...]
    method: str = "POST"
    target: str = FUNCTIONS
    version: str = "HTTP/1.1"
    body: bytes = field(default=b"", repr=False)

    def __bytes__(self) -> bytes:
        lines = [f"{self.method} {self.target} {self.version}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def host_of(demo: Demo) -> str:
    return urlsplit(demo.endpoint_url).netloc


def good(demo: Demo, name: str) -> Request:
    """Return the run's own request, which the emulator executes."""
    body = creation(name)
    scope = f"{demo.account}/20260101/{demo.region}/lambda/aws4_request"
    headers = (
        ("Host", host_of(demo)),
        (TOKEN, demo.session_token),
        ("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    )
    return Request(headers, body=body)


def connected(demo: Demo) -> socket.socket:
    address = urlsplit(demo.endpoint_url)
    assert address.hostname
    return socket.create_connection((address.hostname, address.port or 0), timeout=_TIMEOUT_S)


def received_until(connection: socket.socket, end: bytes) -> bytes:
    """Receive up to ``end``, not further."""
    received = bytearray()
    while not received.endswith(end):
        byte = connection.recv(1)
        assert byte, f"closed after {bytes(received)!r}"
        received += byte
    return bytes(received)


def ask(demo: Demo, *pieces: bytes) -> bytes:
    """Send, and return everything that comes until the server closes; fail when it does not close.

    Each piece but the first is sent when the first byte of an answer has come.
    """
    with connected(demo) as connection:
        received = bytearray()
        try:
            for number, piece in enumerate(pieces):
                if number:
                    received += connection.recv(65536)
                connection.sendall(piece)
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionError:
            pass  # It was closed while we were still sending, which is an answer.
        return bytes(received)


def statuses(answer: bytes) -> list[int]:
    """Return the status codes of the HTTP/1 answers in what was received, without the "100 Continue"s."""
    found = [int(status) for status in re.findall(rb"HTTP/1\.\d (\d{3}) [^\r]*\r\n", answer)]
    return [status for status in found if status != 100]
