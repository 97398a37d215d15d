"""A real browser on a hostile page, and the server of that page."""

from __future__ import annotations

import html
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"
)
SCRIPT = Path(__file__).with_name("hostile_page.js")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_REPORT_S = 60.0
_HEAD_LIMIT = 65536


class PageServer:
    """Serves the page at ``/page``, takes its report, and hands any other request to ``forward``.

    Handing on is what makes a name rebound: the page and the forwarded server have one name and one port,
    and the bytes of the browser arrive as they are. Without ``forward`` it permits everything to every page.
    It notes which attempts arrived.
    """

    def __init__(self, forward: int | None) -> None:
        self._forward = forward
        self._page = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reports: queue.Queue[dict[str, str]] = queue.Queue()
        self.arrived: list[tuple[str, str]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def show(self, **values: str) -> None:
        """Set the page's constants."""
        constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
        script = constants + SCRIPT.read_text(encoding="utf-8")
        self._page = f"<!doctype html><body><script>\n{script}</script></body>".encode()

    def wrap_in_sandbox(self) -> None:
        """Put the page into a sandboxed frame: its origin becomes "null"."""
        framed = html.escape(self._page.decode())
        self._page = f'<!doctype html><iframe sandbox="allow-scripts allow-forms" srcdoc="{framed}">'.encode()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head and len(head) < _HEAD_LIMIT:
                chunk = connection.recv(_HEAD_LIMIT)
                if not chunk:
                    return
                head += chunk
            start, _, rest = head.partition(b"\r\n")
            method, target = start.decode("latin-1").split()[:2]
            fields, _, body = rest.partition(b"\r\n\r\n")
            path = urlsplit(target).path
            if path == "/page":
                _answer(connection, self._page, "text/html; charset=utf-8")
            elif path == "/report":
                self.reports.put(json.loads(_whole(connection, fields, body)))
                _answer(connection, b"", "text/plain")
            else:
                self.arrived.append((method, parse_qs(urlsplit(target).query).get("attempt", [path])[0]))
                if self._forward is None:
                    _whole(connection, fields, body)
                    _answer(connection, b"permitted", "text/plain")
                else:
                    _pipe(connection, head, self._forward)


def _whole(connection: socket.socket, fields: bytes, body: bytes) -> bytes:
    for line in fields.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            while len(body) < int(value) and (chunk := connection.recv(_HEAD_LIMIT)):
                body += chunk
    return body


def _answer(connection: socket.socket, body: bytes, kind: str) -> None:
    anything = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *, Authorization\r\n"
    anything += "Access-Control-Allow-Methods: GET, HEAD, PUT, POST, DELETE\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{anything}"
    connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)


def _pipe(connection: socket.socket, head: bytes, port: int) -> None:
    """Hand everything on in both directions until one side ends."""
    with socket.create_connection(("127.0.0.1", port)) as onward:
        onward.sendall(head)
        threading.Thread(target=_copy, args=(connection, onward), daemon=True).start()
        _copy(onward, connection)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The other direction has ended the connection.


@contextmanager
def page_server(forward: int | None = None) -> Iterator[PageServer]:
    server = PageServer(forward)
    try:
        yield server
    finally:
        server.close()


def visit(url: str, server: PageServer, profile: Path, names: Mapping[str, str] = {}) -> dict[str, str]:
    """Open a page in a browser without a window and a past; return what the page could read.

    ``names`` are host:port pairs and where they lead, as a name server of the page's owner would say.
    """
    assert CHROMIUM
    rules = ", ".join(f"MAP {name} {address}" for name, address in names.items())
    argv = [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", f"--host-resolver-rules={rules}", url]
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with (profile.parent / "browser.log").open("wb") as log:
        browser = subprocess.Popen(
            argv, env=environment | {"HOME": str(profile)}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        return server.reports.get(timeout=_REPORT_S)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
