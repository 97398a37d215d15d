"""The wall at AWS: an assumed role is held to reading, and nobody is told so where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiobotocore.session import AioSession
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, Counter, HandClock, Tokens
from fakes.wire_stub import WireStub

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.session_policy import RoleSessions, policy_text, session_name
from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.settings.settings import Settings

pytestmark = pytest.mark.sdk

KEYS = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t"}
BASE = "[profile base]\naws_access_key_id=a\naws_secret_access_key=b\n"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/ops"
LIMITED = Settings(session_policy="read-only", read_only=True)


@pytest.fixture
def sts(stub: WireStub, clean: pytest.MonkeyPatch) -> WireStub:
    """Return an STS that gives anybody a role, as the environment's endpoint."""
    clean.setenv("AWS_ENDPOINT_URL", stub.url)
    stub.on("sts", "AssumeRole", {"Credentials": KEYS | {"Expiration": "2030-01-01T00:00:00Z"}})
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    return stub


async def _open(profile: str | None, settings: Settings = LIMITED) -> None:
    wanted = Connection(profile=profile, region=REGION, read_only=settings.read_only)
    backend = await connect(
        wanted, settings=settings, limiter=Tokens(), meter=Counter(), clock=HandClock(5.0)
    )
    await backend.close()


def _config(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text + BASE)


async def test_the_role_gets_the_policy_and_the_name_of_a_person(sts: WireStub, tmp_path: Path) -> None:
    _config(tmp_path, f"[profile role]\nrole_arn={ROLE}\nsource_profile=base\n")
    await _open("role")
    (call,) = sts.calls("AssumeRole")
    assert call == {"RoleArn": ROLE, "RoleSessionName": session_name(), "Policy": policy_text()}


async def test_every_renewal_carries_it_too(sts: WireStub, tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    sts.on("sts", "AssumeRole", {"Credentials": KEYS | {"Expiration": soon}})
    _config(tmp_path, f"[profile role]\nrole_arn={ROLE}\nsource_profile=base\n")
    await _open("role")  # what is about to expire is renewed at each use, and still is about to expire
    calls = sts.calls("AssumeRole")
    assert len(calls) > 1
    assert {call.get("Policy") for call in calls} == {policy_text()}


async def test_without_the_setting_there_is_no_policy(sts: WireStub, tmp_path: Path) -> None:
    _config(tmp_path, f"[profile role]\nrole_arn={ROLE}\nsource_profile=base\n")
    await _open("role", Settings())
    assert "Policy" not in sts.calls("AssumeRole")[0]


async def test_what_the_profile_says_of_the_session_stays(sts: WireStub, tmp_path: Path) -> None:
    text = f"[profile role]\nrole_arn={ROLE}\nsource_profile=base\nrole_session_name=audit\nexternal_id=e1\n"
    _config(tmp_path, text)
    await _open("role")
    (call,) = sts.calls("AssumeRole")
    assert (call["RoleSessionName"], call["ExternalId"]) == ("audit", "e1")


async def test_only_the_last_role_of_a_chain_is_limited(sts: WireStub, tmp_path: Path) -> None:
    """A hub under this policy could not assume the next role."""
    hub = f"arn:aws:iam::{ACCOUNT}:role/hub"
    hop = f"[profile hub]\nrole_arn={hub}\nsource_profile=base\n"
    _config(tmp_path, f"[profile role]\nrole_arn={ROLE}\nsource_profile=hub\n{hop}")
    await _open("role")
    told = [(call["RoleArn"], "Policy" in call) for call in sts.calls("AssumeRole")]
    assert told == [(hub, False), (ROLE, True)]


async def test_web_identity_is_limited_too(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("AWS_ROLE_ARN", ROLE)
    session = AioSession()
    RoleSessions(limited=True).install(session)
    event = "provide-client-params.sts.AssumeRoleWithWebIdentity"
    given = {"RoleArn": ROLE, "WebIdentityToken": "jwt", "RoleSessionName": "botocore-session-1800000000"}
    ((_, told),) = await session.get_component("event_emitter").emit(event, params=given)
    assert told == given | {"RoleSessionName": session_name(), "Policy": policy_text()}


@pytest.mark.parametrize("settings", [LIMITED, Settings()], ids=["limited", "not"])
async def test_credentials_that_cannot_be_held_to_it_are_refused(
    settings: Settings, sts: WireStub, tmp_path: Path
) -> None:
    _config(tmp_path, "")
    if not settings.read_only:
        await _open("base", settings)
        return
    with pytest.raises(CredentialsError, match=r"session_policy is read-only, but .* role_arn"):
        await _open("base", settings)
    assert [r.operation for r in sts.received] == ["GetCallerIdentity"]


async def test_another_role_than_the_one_that_was_limited_is_refused(sts: WireStub, tmp_path: Path) -> None:
    sts.on("sts", "GetCallerIdentity", IDENTITY | {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/x"})
    _config(tmp_path, f"[profile role]\nrole_arn={ROLE}\nsource_profile=base\n")
    with pytest.raises(CredentialsError, match="session_policy"):
        await _open("role")


def test_the_name_of_a_session_is_one_that_sts_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "änn o'neill" + "x" * 80)
    name = session_name()
    assert name.startswith("lambdatop--nn-o-neill")
    assert len(name) == 64
