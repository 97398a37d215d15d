"""What the emulator refuses: whatever lacks this run's secret, and whatever a web page could have sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from demo.clients import Aws
from demo.raw_http import FUNCTIONS, TOKEN, Request, ask, connected, good, host_of, received_until, statuses

from lambdatop.demo.process.launch import Demo

pytestmark = pytest.mark.wire

NAME = "unwanted"
Change = Callable[[Request, Demo], Request]


def headers(*added: tuple[str, str]) -> Change:
    """Add headers."""
    return lambda request, _: replace(request, headers=(*request.headers, *added))


def instead(name: str, *values: str) -> Change:
    """Put other values, or none, in the place of a header; {host}, {port} and {token} are the run's."""

    def change(request: Request, demo: Demo) -> Request:
        host = host_of(demo)
        facts = {"host": host, "port": host.partition(":")[2], "token": demo.session_token}
        kept = tuple(h for h in request.headers if h[0] != name)
        return replace(request, headers=(*((name, v.format(**facts)) for v in values), *kept))

    return change


def line(**parts: str) -> Change:
    """Change the request line."""

    def change(request: Request, demo: Demo) -> Request:
        facts = {"host": host_of(demo), "token": demo.session_token}
        return replace(request, **{name: part.format(**facts) for name, part in parts.items()})  # type: ignore[arg-type]

    return change


def both(*changes: Change) -> Change:
    def change(request: Request, demo: Demo) -> Request:
        for one in changes:
            request = one(request, demo)
        return request

    return change


def chunked(request: Request, demo: Demo) -> Request:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body)
    changed = instead("Content-Length")(request, demo)
    return replace(headers(("Transfer-Encoding", "chunked"))(changed, demo), body=body)


NO_TOKEN = instead(TOKEN)
PREFLIGHT = headers(
    ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-amz-security-token")
)
BODILESS = both(instead("Content-Length"), lambda request, _: replace(request, body=b""))
LISTED = both(line(method="GET"), BODILESS)
WEBSOCKET = both(
    line(method="GET", target="/_aws/execute-api/a/b"),
    instead("Connection", "Upgrade"),
    headers(
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ),
    BODILESS,
)

REFUSED: dict[str, Change] = {
    "no token": NO_TOKEN,
    "an empty token": instead(TOKEN, ""),
    "a wrong token": instead(TOKEN, "x" * 43),
    "the token and more": instead(TOKEN, "{token}x"),
    "a part of the token": lambda r, d: instead(TOKEN, d.session_token[:-1])(r, d),
    "the token in other letters": lambda r, d: instead(TOKEN, d.session_token.swapcase())(r, d),
    "a token that is not ASCII": instead(TOKEN, "\u00e9" * 43),
    "the token twice": instead(TOKEN, "{token}", "{token}"),
    "the token after a wrong one": instead(TOKEN, "x", "{token}"),
    "the token in another header": both(NO_TOKEN, instead("X-Token", "{token}")),
    "the token as a cookie": both(NO_TOKEN, instead("Cookie", TOKEN + "={token}")),
    "the token as authorization": both(NO_TOKEN, instead("Authorization", "Bearer {token}")),
    "the token as secret key": both(NO_TOKEN, headers(("X-Amz-Secret", "lambdatop-demo"))),
    "the token in header and query": line(target=f"{FUNCTIONS}?{TOKEN}={{token}}"),
    "the token in small letters": both(NO_TOKEN, line(target=f"{FUNCTIONS}?{TOKEN.lower()}={{token}}")),
    "a wrong token in the query": both(NO_TOKEN, line(target=f"{FUNCTIONS}?{TOKEN}=x")),
    "the token in the path": both(NO_TOKEN, line(target=f"{FUNCTIONS}/{{token}}")),
    "the token in the fragment": both(NO_TOKEN, line(target=f"{FUNCTIONS}#{TOKEN}={{token}}")),
    "a page's origin": headers(("Origin", "http://evil.example")),
    "a sandboxed page's origin": headers(("Origin", "null")),
    "an empty origin": headers(("Origin", "")),
    "its own origin": lambda r, d: headers(("Origin", d.endpoint_url))(r, d),
    "an origin in other letters": headers(("oRiGiN", "null")),
    "another site": headers(("Sec-Fetch-Site", "cross-site")),
    "the same site": headers(("Sec-Fetch-Site", "same-site")),
    "the same origin": headers(("Sec-Fetch-Site", "same-origin")),
    "none and another site": headers(("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")),
    "a rebound name": instead("Host", "evil.example:{port}"),
    "localhost": instead("Host", "localhost:{port}"),
    "a host without port": instead("Host", "127.0.0.1"),
    "a host with another port": instead("Host", "127.0.0.1:1"),
    "a host with more digits": instead("Host", "127.0.0.1:0{port}"),
    "a short address": instead("Host", "127.1:{port}"),
    "a dotted address": instead("Host", "127.0.0.1.:{port}"),
    "another loopback address": instead("Host", "127.0.0.2:{port}"),
    "any address": instead("Host", "0.0.0.0:{port}"),
    "an IPv6 address": instead("Host", "[::1]:{port}"),
    "a user in the host": instead("Host", "evil@{host}"),
    "an empty host": instead("Host", ""),
    "two hosts": instead("Host", "{host}", "evil.example"),
    "two hosts, the other first": instead("Host", "evil.example", "{host}"),
    "the same host twice": instead("Host", "{host}", "{host}"),
    "no host": instead("Host"),
    "no host in HTTP/1.0": both(line(version="HTTP/1.0"), instead("Host")),
    "a forwarded host": both(instead("Host", "evil.example"), instead("X-Forwarded-Host", "{host}")),
    "an absolute request line": line(target=f"http://{{host}}{FUNCTIONS}"),
    "an absolute request line elsewhere": line(target=f"http://evil.example{FUNCTIONS}"),
    "a tunnel": line(method="CONNECT", target="{host}"),
    "all": line(method="OPTIONS", target="*"),
    "a text without token": both(NO_TOKEN, instead("Content-Type", "text/plain")),
    "a form without token": both(NO_TOKEN, instead("Content-Type", "application/x-www-form-urlencoded")),
    "chunked without token": both(chunked, NO_TOKEN),
    "with length and chunks": both(headers(("Transfer-Encoding", "chunked")), NO_TOKEN),
    "asking before sending": both(NO_TOKEN, headers(("Expect", "100-continue"))),
    "HEAD": both(NO_TOKEN, line(method="HEAD")),
    "OPTIONS": both(NO_TOKEN, line(method="OPTIONS")),
    "TRACE": both(NO_TOKEN, line(method="TRACE")),
    "PUT": both(NO_TOKEN, line(method="PUT")),
    "a preflight": both(NO_TOKEN, line(method="OPTIONS"), headers(("Origin", "http://a.example")), PREFLIGHT),
    "a preflight with the token": both(line(method="OPTIONS"), headers(("Origin", "null")), PREFLIGHT),
    "a socket without token": both(WEBSOCKET, NO_TOKEN),
    "a socket with the token": WEBSOCKET,
    "another method": both(NO_TOKEN, line(method="PURGE")),
    "HTTP/0.9": both(NO_TOKEN, line(version="HTTP/0.9")),
    "HTTP/3": both(NO_TOKEN, line(version="HTTP/3.0")),
}  # fmt: skip


@pytest.fixture
def untouched(aws: Aws) -> Iterator[Demo]:
    """Yield the emulator; check that what was refused has left nothing in it."""
    yield aws.demo
    assert aws.functions.list_functions()["Functions"] == []


def _tells_nothing(answer: bytes) -> None:
    assert not [s for s in statuses(answer) if s < 300 and s != 101], answer
    lowered = answer.lower()
    for word in (b"access-control", b"server:", b"x-amz", b"arn:", b"function", b"ministack"):
        assert word not in lowered, answer


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused_tells_nothing_and_runs_nothing(untouched: Demo, why: str) -> None:
    request = REFUSED[why](good(untouched, NAME), untouched)
    _tells_nothing(ask(untouched, bytes(request)))


@pytest.mark.parametrize(
    "change",
    [
        headers(),
        chunked,
        headers(("Sec-Fetch-Site", "none")),
        both(NO_TOKEN, line(target=f"{FUNCTIONS}?{TOKEN}={{token}}")),
        line(version="HTTP/1.0"),
    ],
    ids=["header", "chunked", "typed by the user", "presigned", "HTTP/1.0"],
)
def test_what_is_the_runs_own_is_carried_out(aws: Aws, change: Change) -> None:
    request = change(good(aws.demo, "wanted"), aws.demo)
    answer = ask(aws.demo, bytes(request))
    assert statuses(answer) == [201], answer
    assert b"access-control" not in answer.lower()
    assert [f["FunctionName"] for f in aws.functions.list_functions()["Functions"]] == ["wanted"]


@pytest.mark.parametrize(
    "path",
    [
        "/_ministack/health",
        "/_ministack/ready",
        "/_ministack/reset",
        "/_ministack/config",
        "/_ministack/rds/iam-auth",
        "/_localstack/health",
        "/_lambdatop/ledger",
        "/health",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/api/token",
        "/",
        f"{FUNCTIONS}/any/invocations",
        "/_aws/sqs/messages",
        "//_lambdatop/ledger",
        "/%5flambdatop/ledger",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_no_path_is_open_to_others(untouched: Demo, path: str, method: str) -> None:
    request = both(NO_TOKEN, line(method=method, target=path))(good(untouched, NAME), untouched)
    answer = ask(untouched, bytes(request))
    assert statuses(answer) == [403]
    _tells_nothing(answer)


@pytest.mark.parametrize(
    "second",
    ["no token", "a page's origin", "a rebound name", "an absolute request line", "chunked without token"],
)
@pytest.mark.parametrize("first", ["sent before", "sent with it"])
def test_a_later_request_on_the_same_connection_is_looked_at_as_well(
    untouched: Demo, first: str, second: str
) -> None:
    kept = bytes(both(LISTED, instead("Connection", "keep-alive"))(good(untouched, NAME), untouched))
    change = both(REFUSED[second], instead("Connection", "keep-alive"))
    unwanted = bytes(change(good(untouched, NAME), untouched))
    # Nothing is read after a refusal.
    pieces = (kept, unwanted + kept) if first == "sent before" else (kept + unwanted + kept,)
    answer = ask(untouched, *pieces)
    assert statuses(answer) == [200, 403], answer


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("upgrade", [True, False])
def test_http2_is_refused_with_the_token_as_well(untouched: Demo, upgrade: bool, token: bool) -> None:
    pytest.importorskip("h2", reason="h2 comes with the emulator, which another environment has")
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import ResponseReceived

    connection = H2Connection(H2Configuration(client_side=True))
    if upgrade:
        settings = (connection.initiate_upgrade_connection() or b"").decode()
        asking = headers(("Upgrade", "h2c"), ("HTTP2-Settings", settings))
        change = both(LISTED, instead("Connection", "Upgrade, HTTP2-Settings"), asking)
        request = (change if token else both(change, NO_TOKEN))(good(untouched, NAME), untouched)
        sent = bytes(request)
    else:
        connection.initiate_connection()
        pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", host_of(untouched))]
        secret = [(TOKEN.lower(), untouched.session_token)] if token else []
        connection.send_headers(1, [*pseudo, (":path", FUNCTIONS), *secret], end_stream=True)
        sent = connection.data_to_send()
    told: list[bytes] = []
    with connected(untouched) as wire:
        wire.sendall(sent)
        if upgrade:
            assert b" 101 " in received_until(wire, b"\r\n\r\n")
            wire.sendall(connection.data_to_send())
        while not told:
            chunk = wire.recv(65536)
            assert chunk, "closed without an answer"
            answers = [e for e in connection.receive_data(chunk) if isinstance(e, ResponseReceived)]
            told += [dict(event.headers or ())[b":status"] for event in answers]
    assert told == [b"403"]


def test_a_preflight_without_a_page_gets_no_permission_either(aws: Aws) -> None:
    request = both(line(method="OPTIONS"), PREFLIGHT)(good(aws.demo, NAME), aws.demo)
    answer = ask(aws.demo, bytes(request))
    assert statuses(answer) == [200]
    assert b"access-control" not in answer.lower()
    assert b"access-control" not in ask(aws.demo, bytes(line(target="/nowhere")(request, aws.demo))).lower()


def test_an_assumed_role_shows_the_same_token(aws: Aws) -> None:
    aws.iam.create_role(RoleName="operator", AssumeRolePolicyDocument="{}")
    role = f"arn:aws:iam::{aws.demo.account}:role/operator"
    keys = aws.sts.assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
    assert keys["SessionToken"] == aws.demo.session_token
    session = Aws(replace(aws.demo, access_key=keys["AccessKeyId"], secret_key=keys["SecretAccessKey"]))
    assert session.sts.get_caller_identity()["Arn"].endswith("assumed-role/operator/ann")
    session.close()


def test_two_runs_do_not_share_their_secret(aws: Aws) -> None:
    from lambdatop.demo.process.launch import start

    with start(deploy=False) as other:
        assert other.session_token != aws.demo.session_token
        assert len(other.session_token) >= 43, "less than 256 bits"
        foreign = instead(TOKEN, other.session_token)(good(aws.demo, NAME), aws.demo)
        assert statuses(ask(aws.demo, bytes(foreign))) == [403]
