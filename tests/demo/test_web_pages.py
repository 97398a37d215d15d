"""A web page in the user's own browser reaches nothing of the demo, not even with the run's secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.browser import needs_browser, page_server, visit
from demo.clients import Aws
from demo.raw_http import creation

pytestmark = [pytest.mark.wire, needs_browser]

# What a page may do without asking anybody; these arrive at any server, whatever it permits.
UNASKED = {
    *("fetch-text", "fetch-no-cors", "fetch-credentials", "fetch-no-referrer", "fetch-get"),
    *("fetch-get-no-cors", "fetch-head", "fetch-invoke", "fetch-reset", "fetch-ledger", "xhr"),
    *("img", "img-ledger", "script", "css", "iframe", "event-source", "web-socket"),
    *("form-text", "form-url", "form-parts", "beacon"),
}
ASKED = {"fetch-json", "fetch-signed", "fetch-put", "fetch-delete"}
# A page learns that these ended, not how.
UNSEEN = {"form-text", "form-url", "form-parts", "beacon"}


@pytest.fixture
def furnished(aws: Aws) -> Iterator[Aws]:
    """Yield a function that has run once; check that nothing is added, removed or run."""
    aws.invoke(aws.function("mine", "def handler(event, context):\n    return 'a secret'\n"))
    aws.finished("mine", 1)
    yield aws
    assert [f["FunctionName"] for f in aws.functions.list_functions()["Functions"]] == ["mine"]
    assert {name: f["started"] for name, f in aws.demo.ledger()["functions"].items()} == {"mine": 1}


def _constants(aws: Aws, target: str, secret: str, port: int) -> dict[str, str]:
    scope = f"{aws.demo.account}/20260101/{aws.demo.region}/lambda/aws4_request"
    return {
        "TARGET": target,
        "SECRET": secret,
        "CREATION": creation("theirs").decode(),
        "AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "REPORT": f"http://127.0.0.1:{port}/report",
    }


def test_the_page_really_does_all_that(aws: Aws, tmp_path: Path) -> None:
    """Against a server that permits everything each attempt arrives, and what it answers can be read."""
    with page_server() as permissive, page_server() as pages:
        pages.show(**_constants(aws, f"http://127.0.0.1:{permissive.port}", "", pages.port))
        readable = visit(f"http://127.0.0.1:{pages.port}/page", pages, tmp_path / "profile")
        arrived = {attempt for _, attempt in permissive.arrived}
        assert arrived == UNASKED | ASKED
        assert {a for method, a in permissive.arrived if method == "OPTIONS"} == ASKED
    assert readable["fetch-text"] == "cors 200 permitted"
    assert readable["fetch-signed"] == "cors 200 permitted"


@pytest.mark.parametrize("knows", [False, True], ids=["without the secret", "with the secret"])
@pytest.mark.parametrize("sandboxed", [False, True], ids=["a page", "a sandboxed page"])
def test_a_page_of_another_site(furnished: Aws, tmp_path: Path, knows: bool, sandboxed: bool) -> None:
    with page_server() as pages:
        secret = furnished.demo.session_token if knows else ""
        pages.show(**_constants(furnished, furnished.demo.endpoint_url, secret, pages.port))
        if sandboxed:
            pages.wrap_in_sandbox()
        readable = visit(f"http://127.0.0.1:{pages.port}/page", pages, tmp_path / "profile")
    assert set(readable) == UNASKED | ASKED
    # An opaque answer has neither a status nor a text; a frame that cannot be read is "refused".
    opaque = {"fetch-no-cors", "fetch-credentials", "fetch-no-referrer", "fetch-get-no-cors", "fetch-reset"}
    assert {readable.pop(name) for name in opaque} <= {"opaque 0 ", "refused"}
    assert {readable.pop(name) for name in UNSEEN} == {"sent"}
    assert set(readable.values()) == {"refused"}


@pytest.mark.parametrize("knows", [False, True], ids=["without the secret", "with the secret"])
def test_a_page_whose_name_was_rebound(furnished: Aws, tmp_path: Path, knows: bool) -> None:
    port = int(furnished.demo.endpoint_url.rsplit(":", 1)[1])
    name = f"evil.example:{port}"
    with page_server(forward=port) as pages:
        secret = furnished.demo.session_token if knows else ""
        pages.show(**_constants(furnished, "", secret, pages.port))
        names = {name: f"127.0.0.1:{pages.port}"}
        readable = visit(f"http://{name}/page", pages, tmp_path / "profile", names)
        arrived = {attempt for _, attempt in pages.arrived}
    # To the browser it is the page's own server: it asks nobody and hides nothing.
    assert arrived >= UNASKED | ASKED
    assert {readable.pop(name) for name in UNSEEN} == {"sent"}
    assert set(readable.values()) <= {"basic 403 ", "403 ", "frame ", "refused"}
    assert readable["fetch-text"] == readable["fetch-signed"] == "basic 403 "
