"""Opening a connection: who, where, and one sentence when it does not work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, towards
from fakes.wire_stub import Fault, Redirect, WireStub

from lambdatop.aws.connect import _renewal
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.endpoints import check_endpoint
from lambdatop.domain.errors import (
    CredentialsError,
    Denied,
    LambdatopError,
    Throttled,
    Unreachable,
    UsageError,
)
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import SOURCES
from lambdatop.domain.state.events import AccountObserved, TargetIdentified

from .conftest import Open

pytestmark = pytest.mark.sdk


async def test_the_identity_and_a_foreign_endpoint_are_told(
    stub: WireStub, opened: Open, clean: object
) -> None:
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    backend = await opened(towards(stub.url, notice="DEMO"))
    told = backend.identified
    assert (told.scope.account, told.scope.region) == (ACCOUNT, REGION)
    assert (told.identity, told.endpoint, told.notice, told.at) == (IDENTITY["Arn"], stub.url, "DEMO", 5.0)
    # Prices are read only where the user allows it.
    assert {s.name for s in backend.sources} == SOURCES.keys() - {"prices"}
    assert backend.mutator is not None


async def test_a_hostile_identity_arrives_harmless(stub: WireStub, opened: Open, clean: object) -> None:
    stub.on("sts", "GetCallerIdentity", IDENTITY | {"Arn": "arn:aws:sts::1:x/\u202eevil\u200b"})
    backend = await opened(towards(stub.url))
    assert "\u202e" not in backend.identified.identity


def test_read_only_has_no_mutator_and_does_not_import_one() -> None:
    code = """
import asyncio, sys
sys.path.insert(0, "tests")
from fakes.aws_doubles import Counter, HandClock, Tokens
from fakes.wire_stub import WireStub
from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.settings.settings import Settings

async def main():
    async with WireStub() as stub:
        stub.on("sts", "GetCallerIdentity", {"Account": "1", "Arn": "a", "UserId": "u"})
        wanted = Connection(region="eu-west-1", endpoint_url=stub.url, access_key="a", secret_key="b",
                            isolated=True, read_only=True)
        backend = await connect(wanted, settings=Settings(), limiter=Tokens(), meter=Counter(),
                                clock=HandClock())
        assert backend.mutator is None
        await backend.close()

asyncio.run(main())
assert "lambdatop.aws.targets.reader" in sys.modules
assert "lambdatop.aws.mutation.mutator" not in sys.modules
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_door_imports_no_sdk() -> None:
    code = "import sys, lambdatop.aws.connect; print([n for n in sys.modules if n in %r])"
    code %= (("botocore", "aiobotocore", "aiohttp"),)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (Fault("ExpiredToken", status=403), CredentialsError, "expired"),
        (Fault("InvalidClientTokenId", status=403), CredentialsError, "does not know"),
        (Fault("SignatureDoesNotMatch", status=403), CredentialsError, "clock"),
        (Fault("AccessDenied", status=403), Denied, "sts:GetCallerIdentity"),
        (Fault("Throttling", status=400), Throttled, "throttled"),
        (Redirect("http://127.0.0.1:1/"), Unreachable, "never followed"),
    ],
)
async def test_a_refusal_is_one_sentence(
    answer: Any, kind: type[LambdatopError], says: str, stub: WireStub, opened: Open, clean: object
) -> None:
    stub.on("sts", "GetCallerIdentity", answer)
    with pytest.raises(LambdatopError, match=says) as caught:
        await opened(towards(stub.url))
    assert type(caught.value) is kind


async def test_no_credentials(opened: Open, clean: object) -> None:
    with pytest.raises(CredentialsError, match="--profile"):
        await opened(Connection(region=REGION))


async def test_no_region(opened: Open, clean: object) -> None:
    with pytest.raises(UsageError, match="--region"):
        await opened(Connection(access_key="a", secret_key="b"))


async def test_a_region_that_is_none(opened: Open, clean: object) -> None:
    with pytest.raises(UsageError, match="not a region"):
        await opened(Connection(region="eu central;1", access_key="a", secret_key="b"))


async def test_a_profile_that_does_not_exist(opened: Open, clean: object) -> None:
    with pytest.raises(UsageError, match="nobody"):
        await opened(Connection(profile="nobody", region=REGION))


async def test_a_profile_that_needs_a_code_is_not_asked_for_one(
    opened: Open, clean: object, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[profile role]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nmfa_serial=arn:x\n"
        "[profile base]\naws_access_key_id=a\naws_secret_access_key=b\n"
    )
    with pytest.raises(CredentialsError, match="MFA"):
        await opened(Connection(profile="role", region=REGION))


async def test_a_role_is_assumed_through_the_guard(
    stub: WireStub, opened: Open, clean: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[profile role]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=base\n"
        "[profile base]\naws_access_key_id=a\naws_secret_access_key=b\n"
    )
    clean.setenv("AWS_ENDPOINT_URL", stub.url)
    keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t"}
    stub.on("sts", "AssumeRole", {"Credentials": keys | {"Expiration": "2030-01-01T00:00:00Z"}})
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    backend = await opened(Connection(profile="role", region=REGION, read_only=True))
    assert [r.operation for r in stub.received] == ["AssumeRole", "GetCallerIdentity"]
    assert backend.identified.credentials_expire_at == 1893456000.0
    assert backend.identified.endpoint == stub.url
    stub.on("lambda", "GetAccountSettings", {"AccountLimit": {}, "AccountUsage": {}})
    account = next(s for s in backend.sources if s.name == "account")
    assert [type(e) for e in await account.collect(View(5.0))] == [AccountObserved]


def test_renewed_credentials_are_told_once() -> None:
    told = TargetIdentified(Scope(ACCOUNT, REGION), 1.0, "me", credentials_expire_at=1893456000.0)
    expires_at = [1893456000.0]
    renewed = _renewal(told, lambda: expires_at[0], lambda: "me again")
    assert renewed() is None
    expires_at[0] = 1893542400.0
    again = renewed()
    assert again is not None
    assert (again.identity, again.credentials_expire_at) == ("me again", 1893542400.0)
    assert renewed() is None


async def test_an_endpoint_from_the_environment_is_told_and_checked(
    stub: WireStub, opened: Open, clean: pytest.MonkeyPatch
) -> None:
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    clean.setenv("AWS_ENDPOINT_URL_STS", stub.url)
    backend = await opened(Connection(region=REGION, access_key="a", secret_key="b"))
    assert backend.identified.endpoint == stub.url
    clean.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://203.0.113.5")
    with pytest.raises(UsageError, match="plain http"):
        await opened(Connection(region=REGION, access_key="a", secret_key="b"))


async def test_nobody_listens(opened: Open, clean: object) -> None:
    wanted = Connection(region=REGION, endpoint_url="http://127.0.0.1:9", access_key="a", secret_key="b")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 cannot"):
        await opened(wanted)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:4566",
        "ftp://x",
        "https://",
        "http://[::1",
        "http://x:y",
        "https://user:pw@host",
        "http://10.0.0.1:4566",
        "http://localhost.evil.example",
        "",
    ],
)
def test_a_bad_endpoint_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        check_endpoint(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@h",
        "https://:hunter2@h",
        "https://hunter2@h",
        "https://me:hunt/er2?hunter2#hunter2@h",
        "https://h/?token=hunter2",
        "https://h/#hunter2",
        "me:hunter2@h",
        "ftp://me:hunter2@h",
    ],
)
def test_no_sentence_quotes_the_password_of_an_endpoint(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_endpoint(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:4566", "http://[::1]:80", "https://h"]
)
def test_a_good_endpoint_url_is_accepted(url: str) -> None:
    check_endpoint(url)
