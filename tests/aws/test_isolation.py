"""The demo's way of connecting: nothing of the user has any influence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, towards
from fakes.wire_stub import WireStub

from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.errors import (
    UsageError,
)
from lambdatop.domain.ports.aws import Backend

from .conftest import Open

pytestmark = pytest.mark.sdk


async def test_isolation_from_everything_of_the_user(
    stub: WireStub, opened: Open, clean: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Variables, proxies, files, models and plugins that would break or divert any other session."""
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    stub.on("lambda", "GetFunctionConcurrency", {"ReservedConcurrentExecutions": 4})
    (tmp_path / "config").write_text("[default]\nregion = xx\nendpoint_url = http://127.0.0.1:9\n[broken")
    (tmp_path / ".aws/models/lambda/2015-03-31").mkdir(parents=True)
    (tmp_path / ".aws/models/lambda/2015-03-31/service-2.json").write_text("{}")
    hostile = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real-token",
        "AWS_REGION": "us-west-1",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
        "AWS_CA_BUNDLE": "/nowhere",
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "AWS_DATA_PATH": str(tmp_path / ".aws/models"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_RETRY_MODE": "adaptive",
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_DEFAULTS_MODE": "auto",
        "AWS_CSM_ENABLED": "true",
        "AWS_BEARER_TOKEN_LAMBDA": "real-bearer",
        "BOTOCORE_EXPERIMENTAL__PLUGINS": "x=antigravity",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }
    for name, value in hostile.items():
        clean.setenv(name, value)
    clean.delitem(sys.modules, "antigravity", raising=False)
    backend = await opened(towards(stub.url, isolated=True, access_key=ACCOUNT))
    key = backend.identified.scope and (await _reserved(backend))
    assert key == {"reserved_concurrency": 4}
    assert {(r.access_key, r.region) for r in stub.received} == {(ACCOUNT, REGION)}
    assert not any("real" in value for r in stub.received for value in r.headers.values())
    assert "antigravity" not in sys.modules


async def _reserved(backend: Backend) -> Any:
    from lambdatop.domain.keys import Key

    return await backend.reader.state(
        Key(backend.identified.scope, "function", "f"), ["reserved_concurrency"]
    )


async def test_isolation_is_for_this_machine_only(opened: Open) -> None:
    for changes in ({"endpoint_url": "https://lambda.example"}, {"access_key": None}, {"region": None}):
        fields: dict[str, Any] = {"region": REGION, "endpoint_url": "http://127.0.0.1:1"}
        fields |= {"access_key": "a", "secret_key": "b", "isolated": True}
        with pytest.raises(UsageError, match="isolated"):
            await opened(Connection(**(fields | changes)))
