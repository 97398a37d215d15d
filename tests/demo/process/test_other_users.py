"""Another user of the same machine reaches nothing of the demo, not even with the run's secret."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo.clients import Aws
from demo.raw_http import creation, good

from lambdatop.demo.process import launch
from lambdatop.demo.process.launch import CREDENTIALS
from lambdatop.demo.process.own_connections import OwnConnections, owner

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the owners of sockets"),
]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
NOBODY = 65534

# Becomes another user, then does what it is told: a list of [family, bytes to send (latin-1), how to end].
STRANGER = """
import json, os, socket, struct, sys
order = json.load(sys.stdin)
os.setgroups([])
os.setgid(order["uid"])
os.setuid(order["uid"])
assert os.geteuid() == order["uid"]
answers = []
for family, raw, end in order["requests"]:
    address = ("::ffff:127.0.0.1" if family == "inet6" else "127.0.0.1", order["port"])
    connection = socket.socket(socket.AF_INET6 if family == "inet6" else socket.AF_INET)
    connection.settimeout(10)
    received = b""
    try:
        connection.connect(address)
        connection.sendall(raw.encode("latin-1"))
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        while end == "wait" and (chunk := connection.recv(65536)):
            received += chunk
    except ConnectionError as error:
        received = received or b"ConnectionError"
    connection.close()
    answers.append(received.decode("latin-1"))
for path in order["paths"]:
    try:
        if os.path.isdir(path):
            answers.append(str(os.listdir(path)))
        else:
            with open(path, "rb") as file:
                answers.append(file.read().decode("latin-1"))
    except PermissionError:
        answers.append("PermissionError")
print(json.dumps(answers))
"""


def _as_nobody(aws: Aws, requests: list[list[str]], paths: tuple[str, ...] = ()) -> list[str]:
    order = {
        "uid": NOBODY,
        "port": int(aws.demo.endpoint_url.rsplit(":", 1)[1]),
        "requests": requests,
        "paths": paths,
    }
    argv = [sys.executable, "-I", "-c", STRANGER]
    ran = subprocess.run(argv, input=json.dumps(order), capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    answers: list[str] = json.loads(ran.stdout)
    return answers


@pytest.fixture
def furnished(aws: Aws) -> Iterator[Aws]:
    """Yield a function that has run once and logged.

    Check that nothing is added and it does not run again.
    """
    aws.invoke(aws.function("mine", "def handler(event, context):\n    print('a secret line')\n"))
    aws.finished("mine", 1)
    yield aws
    assert [f["FunctionName"] for f in aws.functions.list_functions()["Functions"]] == ["mine"]
    assert aws.counted("mine")["started"] == 1


def _attempts(aws: Aws, *, with_token: bool) -> list[bytes]:
    """Create, invoke, delete, list, read logs and counters, forget everything; and a WebSocket."""
    head = str(bytes(good(aws.demo, "x")), "latin-1").partition("\r\nContent-Type")[0].split("\r\n", 1)[1]
    lines = [line for line in head.split("\r\n") if with_token or aws.demo.session_token not in line]
    logs = {"logGroupName": "/aws/lambda/mine"}
    asks: list[tuple[str, str, bytes]] = [
        ("POST /2015-03-31/functions", "", creation("theirs")),
        ("POST /2015-03-31/functions/mine/invocations", "", b"{}"),
        ("DELETE /2015-03-31/functions/mine", "", b""),
        ("GET /2015-03-31/functions", "", b""),
        ("POST /", "X-Amz-Target: Logs_20140328.FilterLogEvents\r\n", json.dumps(logs).encode()),
        ("POST /", "X-Amz-Target: Logs_20140328.StartLiveTail\r\n", b"{}"),
        ("GET /_ministack/health", "", b""),
        ("GET /_lambdatop/ledger", "", b""),
        ("POST /_ministack/reset", "", b""),
        ("GET /", "Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b""),
    ]
    tail = "\r\n".join(lines) + "\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return [
        f"{line} HTTP/1.1\r\n{tail}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for line, more, body in asks
    ]


@as_root
@pytest.mark.parametrize("family", ["inet", "inet6"])
@pytest.mark.parametrize("with_token", [True, False], ids=["with the token", "without"])
def test_no_request_of_another_user_is_read(furnished: Aws, family: str, with_token: bool) -> None:
    attempts = _attempts(furnished, with_token=with_token)
    answers = _as_nobody(furnished, [[family, raw.decode("latin-1"), "wait"] for raw in attempts])
    # Closed without a word: the request was not even read.
    assert set(answers) <= {"", "ConnectionError"}


@as_root
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_caller_who_is_gone_already_is_nobody_of_ours(furnished: Aws, end: str) -> None:
    """The kernel says 0, which is root, for the owner of a connection that its caller has closed."""
    raw = bytes(good(furnished.demo, "theirs")).decode("latin-1")
    _as_nobody(furnished, [["inet", raw, end]] * 200)


@as_root
def test_no_file_of_the_demo_is_readable(furnished: Aws) -> None:
    directory = furnished.demo.directory
    pid = furnished.demo.pid
    children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    assert children
    paths: tuple[str, ...] = (directory, f"{directory}/{CREDENTIALS}", f"{directory}/server.log")
    paths += tuple(f"/proc/{one}/environ" for one in (pid, *children))
    assert set(_as_nobody(furnished, [], paths)) == {"PermissionError"}


def test_the_secret_stands_in_no_command_line(furnished: Aws) -> None:
    token = furnished.demo.session_token.encode()
    seen = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    assert any(b"lambdatop.demo.process.server" in line for line in seen)
    assert not any(token in line for line in seen)
    assert token.decode() not in repr(furnished.demo)
    assert Path(furnished.demo.directory, CREDENTIALS).stat().st_mode & 0o777 == 0o600


def test_the_demo_listens_at_one_address(furnished: Aws) -> None:
    """Every listening socket of the demo's process tree, whatever its kind."""
    inodes = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if furnished.demo.directory.encode() not in (process / "environ").read_bytes() and int(
                process.name
            ) != int(furnished.demo.pid):
                continue
            links = [os.readlink(fd) for fd in (process / "fd").iterdir()]
        except OSError:
            continue
        inodes |= {link[8:-1] for link in links if link.startswith("socket:[")}
    assert inodes
    found = []
    for table, state, wanted in (("tcp", 3, "0A"), ("tcp6", 3, "0A"), ("udp", 3, ""), ("udp6", 3, "")):
        rows = [row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        found += [row[1] for row in rows if row[9] in inodes and (not wanted or row[state] == wanted)]
    unix = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    # Flag 00010000: it accepts connections.
    found += [row[0] for row in unix if row[6] in inodes and int(row[3], 16) & 0x10000]
    port = int(furnished.demo.endpoint_url.rsplit(":", 1)[1])
    assert found == [f"0100007F:{port:04X}"] if sys.byteorder == "little" else len(found) == 1


def test_no_service_of_the_emulator_can_listen_elsewhere(aws: Aws) -> None:
    """A function with a runtime of its own would be served at a port without any secret."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        archive.writestr(info, "#!/bin/sh\nsleep 60\n")
    aws.functions.create_function(
        FunctionName="provided",
        Role="arn:aws:iam::123456789012:role/test",
        Handler="bootstrap",
        Runtime="provided.al2023",
        Code={"ZipFile": buffer.getvalue()},
    )
    answer = aws.invoke("provided")
    assert answer["FunctionError"]
    log = Path(aws.demo.directory, "server.log").read_text()
    assert "the demo listens at one address only" in answer["Payload"].read().decode() + log


def test_an_own_connection_has_an_owner_and_a_closed_one_has_none() -> None:
    with OwnConnections.listen_on("127.0.0.1", 8) as listener:
        listener.settimeout(10)
        called = listener.getsockname()
        caller = socket.create_connection(called)
        end = caller.getsockname()
        while True:
            try:
                connection, peer = listener.accept()
            except ConnectionAbortedError:
                continue  # The one by which the listener found out that the kernel tells owners.
            break
        assert peer == end
        assert owner(end, called) == os.geteuid()
        assert owner(called, end) == os.geteuid(), "our other end"
        assert owner((end[0], end[1] ^ 1), called) is None
        assert owner(called, ("127.0.0.1", 1)) is None, "a listening socket is no end of a connection"
        caller.close()
        assert owner(end, called) is None
        connection.close()


def test_where_the_system_tells_no_owners_all_are_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("socket.AF_NETLINK")
    with OwnConnections.listen_on("127.0.0.1", 8) as listener:
        assert not listener.tells_owners
        listener.settimeout(10)
        with socket.create_connection(listener.getsockname()) as caller:
            peers: list[Any] = []
            while caller.getsockname() not in peers:
                connection, peer = listener.accept()
                connection.close()
                peers.append(peer)


def test_the_demo_says_where_the_system_tells_no_owners(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    words = "kept out of the emulator by the secret of this run alone"
    assert not [notice for notice in aws.demo.notices if words in notice]
    ready = launch._await_ready
    monkeypatch.setattr(launch, "_await_ready", lambda *asked: ready(*asked) | {"tells_owners": False})
    with launch.start(deploy=False) as demo:
        assert [notice for notice in demo.notices if words in notice]
