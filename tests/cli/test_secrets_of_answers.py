"""No key of an answer that broke off reaches stderr, stdout or the log, not even with --debug."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.sts_stub import KEYS, ROLE, LoginStub, home_with
from fakes.warm_start import Awaited
from fakes.wire_stub import Body

SECRET, TOKEN = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz", "IQoJb3JpZ2luX2VjEJrTokenTokenToken"
XML = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
    f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}"
)
ODD = f"<AssumeRoleResponse><AssumeRoleResult><Strange one='{SECRET}'>{TOKEN}</Other></AssumeRoleResponse>"
PROFILE = f"[profile ops]\nrole_arn = {ROLE}\nsource_profile = base\n"


def logs(directory: Path) -> str:
    return "".join(file.read_text() for file in directory.rglob("lambdatop.log*"))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
_CUT = XML.index(SECRET)
FRAMES = {
    "a chunk of the wrong length": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % _CUT
    + f"{XML[:_CUT]}\r\n{XML[_CUT:]}".encode(),
    "a body before its head": XML[_CUT:].encode(),
    "a body in its head": b"HTTP/1.1 200 OK\r\n" + XML[_CUT:].encode() + b"\r\n\r\n",
    "a length that is none": HEAD + b"Content-Length: " + SECRET.encode() + b"\r\n\r\n",
    "a status that is none": b"HTTP/1.1 " + SECRET.encode() + b"\r\n\r\n",
    "a header that holds NUL": HEAD + b"X: " + SECRET.encode() + b"\0\r\nContent-Length: 0\r\n\r\n",
}


async def ran(env: dict[str, str], *words: str) -> tuple[int | None, str]:
    """Exit code and everything that a command printed."""
    child = await Awaited(words, env).reading()
    told = b"".join(await child.communicate()).decode()
    return child.returncode, told


@pytest.mark.parametrize(
    ("command", "answer"),
    [("snapshot", XML), ("snapshot --debug", ODD), ("doctor --debug", XML), ("plan throttle_to_zero f", ODD)],
)
async def test_nothing_is_quoted(tmp_path: Path, command: str, answer: str) -> None:
    async with LoginStub() as stub:
        stub.on("sts", "AssumeRole", Body(answer.encode(), "text/xml"))
        env = home_with(tmp_path, PROFILE, KEYS) | {"AWS_ENDPOINT_URL": stub.url, "NO_PROXY": "127.0.0.1"}
        code, told = await ran(env, "--profile", "ops", *command.split())
    assert code == 1
    assert "could not be understood (ResponseParserError)" in told
    for secret in (SECRET, TOKEN):
        assert secret not in told + logs(tmp_path)


@asynccontextmanager
async def answering(frame: bytes) -> AsyncIterator[str]:
    """Yield the URL of a server that answers each request with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(frame)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
async def test_no_broken_frame_of_http_is_quoted(tmp_path: Path, frame: bytes) -> None:
    async with answering(frame) as url:
        env = home_with(tmp_path, PROFILE, KEYS) | {"AWS_ENDPOINT_URL": url, "NO_PROXY": "127.0.0.1"}
        code, told = await ran(env, "--profile", "ops", "snapshot", "--debug")
    assert code == 1
    assert "sts:AssumeRole" in told or url in told
    for secret in (SECRET, TOKEN):
        assert secret not in told + logs(tmp_path)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 No", f"{SECRET} {TOKEN}"),
        ("200 OK", f'["{SECRET}"]'),
        ("200 OK", f'{{"{SECRET}": 1}}'),
        ("200 OK", f'{{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"{SECRET}"}}'),
    ],
)
async def test_a_container_that_gives_no_credentials_is_blamed_and_not_quoted(
    tmp_path: Path, status: str, body: str
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with answering(f"{head}{body}".encode()) as url:
        env = home_with(tmp_path, "") | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/creds"}
        code, told = await ran(env, "snapshot", "--debug")
    assert code == 1
    assert "redentials" in told
    assert "sts:AssumeRole" not in told
    for secret in (SECRET, TOKEN):
        assert secret not in told + logs(tmp_path)


@pytest.mark.parametrize("words", [["--endpoint-url", "{}", "snapshot"], ["snapshot"], ["doctor"]])
async def test_the_password_of_an_endpoint_is_not_quoted(tmp_path: Path, words: list[str]) -> None:
    url = f"https://me:{SECRET}@127.0.0.1:9/?token={TOKEN}"
    env = home_with(tmp_path, "", KEYS.replace("base", "default")) | {"AWS_ENDPOINT_URL": url}
    code, told = await ran(env, *[word.format(url) for word in words], "--debug")
    assert code in (1, 2)
    for secret in (SECRET, TOKEN):
        assert secret not in told + logs(tmp_path)
