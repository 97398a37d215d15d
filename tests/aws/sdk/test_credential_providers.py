"""Every way to credentials, against stubs on this machine, through the guard of a read-only connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from botocore.tokens import SSOTokenProvider
from fakes.aws_doubles import REGION
from fakes.sts_stub import KEYS, MFA, ROLE, SERIAL, SSO, LoginStub, home_with, sso_token
from fakes.wire_stub import stop

from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.mfa import REFUSED, MfaCodes
from lambdatop.domain.errors import CredentialsError

from ..conftest import Open

pytestmark = pytest.mark.sdk

READ_ONLY = Connection(region=REGION, read_only=True)
HOUR = timedelta(hours=1)


@pytest.fixture
async def sts() -> AsyncIterator[LoginStub]:
    stub = LoginStub()
    async with stub:
        yield stub
    assert stub.problems == []
    assert stub.strangers == []


@pytest.fixture
def person(sts: LoginStub, clean: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Write AWS files and point everything at the stub."""

    def write(config: str = "", credentials: str = "", **variables: str) -> None:
        env = home_with(tmp_path, config, credentials) | {"AWS_ENDPOINT_URL": sts.url} | variables
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            clean.delenv(name)
        for name, value in env.items():
            clean.setenv(name, value)

    return write


def who(sts: LoginStub) -> set[str]:
    return {r.access_key for r in sts.received if r.operation == "GetCallerIdentity"}


async def test_a_profile_and_the_environment(sts: LoginStub, person: Any, opened: Open) -> None:
    person(credentials=KEYS, AWS_ACCESS_KEY_ID="AKIAENV", AWS_SECRET_ACCESS_KEY="s")
    await opened(READ_ONLY)
    assert who(sts) == {"AKIAENV"}
    await opened(Connection(profile="base", region=REGION))
    assert who(sts) == {"AKIAENV", "AKIABASE"}


async def test_a_role_with_a_source_profile(sts: LoginStub, person: Any, opened: Open) -> None:
    person(f"[profile ops]\nrole_arn = {ROLE}\nsource_profile = base\n", KEYS, AWS_PROFILE="ops")
    backend = await opened(READ_ONLY)
    assert who(sts) == {"ASIAROLE"}
    assert backend.identified.credentials_expire_at is not None
    assert backend.expires_at() == backend.identified.credentials_expire_at


async def test_a_process_gets_no_stdin(sts: LoginStub, person: Any, opened: Open, tmp_path: Path) -> None:
    ends = (datetime.now(UTC) + HOUR).isoformat()
    answer = {"Version": 1, "AccessKeyId": "AKIAPROC", "SecretAccessKey": "s", "Expiration": ends}
    script = tmp_path / "give"
    script.write_text(f"#!/bin/sh\ncat > '{tmp_path}/asked'\ncat <<'E'\n{json.dumps(answer)}\nE\n")
    script.chmod(0o700)
    source = f"[profile p]\ncredential_process = {script}\n"
    person(source + f"[profile r]\nrole_arn = {ROLE}\nsource_profile = p\n", AWS_PROFILE="p")
    await opened(READ_ONLY)
    await opened(Connection(profile="r", region=REGION))
    assert who(sts) == {"AKIAPROC", "ASIAROLE"}
    assert (tmp_path / "asked").read_bytes() == b""


async def test_what_a_failing_process_says_arrives_harmless(
    sts: LoginStub, person: Any, opened: Open, tmp_path: Path
) -> None:
    script = tmp_path / "fail"
    script.write_text("#!/bin/sh\nprintf '\\033]52;c;eA==\\007\\377 no' >&2\nexit 1\n")
    script.chmod(0o700)
    person(f"[default]\ncredential_process = {script}\n")
    with pytest.raises(CredentialsError) as failed:
        await opened(READ_ONLY)
    assert "\x1b" not in str(failed.value)
    assert " no)" in str(failed.value)


async def test_a_web_identity(sts: LoginStub, person: Any, opened: Open, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("token")
    person(AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN=ROLE)
    await opened(READ_ONLY)
    assert who(sts) == {"ASIAWEB"}
    assert sts.bearers == ["token"]


async def test_identity_center_with_a_cached_token(
    sts: LoginStub, person: Any, opened: Open, clean: pytest.MonkeyPatch
) -> None:
    person(SSO, AWS_PROFILE="corp")
    # The SDK takes the home directory when it is imported.
    clean.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(Path.home() / ".aws/sso/cache"))
    with pytest.raises(CredentialsError, match="login session"):
        await opened(READ_ONLY)
    file, token = sso_token({"HOME": str(Path.home())})
    file.parent.mkdir(parents=True)
    file.write_text(token)
    await opened(READ_ONLY)
    assert who(sts) == {"ASIASSO"}
    assert sts.bearers == ["bearer"]


class Metadata:
    """An instance's metadata service and a container's credentials endpoint; `v2` False knows no tokens."""

    def __init__(self, *, v2: bool = True) -> None:
        self.v2 = v2
        self.given = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ends = (datetime.now(UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = {"AccessKeyId": "ASIAHOST", "SecretAccessKey": "s", "Token": "t", "Expiration": ends}
        if request.path == "/creds":
            self.given += request.headers.get("Authorization") == "secret"
            return web.json_response(keys)
        if request.path == "/latest/api/token":
            return (
                web.Response(text="ticket")
                if self.v2 and request.method == "PUT"
                else web.Response(status=404)
            )
        if self.v2 and request.headers.get("x-aws-ec2-metadata-token") != "ticket":
            return web.Response(status=401)
        self.given += 1
        if request.path.endswith("security-credentials/"):
            return web.Response(text="ops")
        return web.json_response(keys | {"Code": "Success"})


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    runners = []

    async def go(metadata: Metadata) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", metadata.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield go
    for runner in runners:
        await stop(runner)


async def test_an_instance_by_version_2_of_its_metadata(
    sts: LoginStub, person: Any, opened: Open, serve: Any, clean: pytest.MonkeyPatch
) -> None:
    person(AWS_EC2_METADATA_SERVICE_ENDPOINT=await serve(Metadata()))
    clean.delenv("AWS_EC2_METADATA_DISABLED")
    await opened(READ_ONLY)
    assert who(sts) == {"ASIAHOST"}


async def test_version_1_is_not_even_asked(
    sts: LoginStub, person: Any, opened: Open, serve: Any, clean: pytest.MonkeyPatch
) -> None:
    old = Metadata(v2=False)
    person(AWS_EC2_METADATA_SERVICE_ENDPOINT=await serve(old))
    clean.delenv("AWS_EC2_METADATA_DISABLED")
    with pytest.raises(CredentialsError):
        await opened(READ_ONLY)
    assert old.given == 0


async def test_a_container(sts: LoginStub, person: Any, opened: Open, serve: Any) -> None:
    metadata = Metadata()
    url = f"{await serve(metadata)}/creds"
    person(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN="secret")
    await opened(READ_ONLY)
    assert who(sts) == {"ASIAHOST"}
    assert metadata.given == 1


async def test_an_mfa_code_is_good_once_and_its_session_outlives_the_connection(
    sts: LoginStub, person: Any, opened: Open
) -> None:
    person(MFA, KEYS)
    sts.codes = ["111111"]
    codes = MfaCodes("ask again")
    wanted = Connection(profile="ops", region=REGION, codes=codes)
    codes.hold(SERIAL, "111111")
    backend = await opened(wanted)
    ends = backend.expires_at()
    await opened(wanted)
    assert len(sts.calls("AssumeRole")) == 1
    told = datetime.fromtimestamp(ends, UTC) - datetime.now(UTC)
    assert timedelta(minutes=48) < told < timedelta(minutes=50), "ten minutes less than STS said"
    assert "111111" not in repr(wanted) + repr(codes)
    codes.forget()
    with pytest.raises(CredentialsError, match="needs a new MFA code: ask again"):
        await opened(wanted)
    codes.hold(SERIAL, "222222")
    with pytest.raises(CredentialsError, match="did not take the MFA code") as wrong:
        await opened(wanted)
    assert wrong.value.code == REFUSED


async def test_without_codes_nobody_is_asked(sts: LoginStub, person: Any, opened: Open) -> None:
    person(MFA, KEYS)
    with pytest.raises(CredentialsError, match="needs an MFA code, and it cannot be asked for here"):
        await opened(Connection(profile="ops", region=REGION))
    assert sts.received == []
