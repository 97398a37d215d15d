"""The settings that were taken must be those of the profile which the SDK really uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, Counter, HandClock, Tokens
from fakes.wire_stub import WireStub

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.errors import UsageError
from lambdatop.domain.settings.settings import ModeSettings, Settings

pytestmark = pytest.mark.sdk


def two_profiles(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "".join(
            f"[{n}]\naws_access_key_id = A{n}\naws_secret_access_key = s\n" for n in ("dev", "production")
        )
    )
    clean.setenv("AWS_PROFILE", "dev")
    clean.setenv("AWS_DEFAULT_PROFILE", "production")


async def test_settings_of_another_profile_end_before_anything_is_asked(
    stub: WireStub, clean: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_profiles(clean, tmp_path)
    stub.on("sts", "GetCallerIdentity", IDENTITY)
    wanted = Connection(region=REGION, endpoint_url=stub.url)

    async def opened(profile: str) -> str:
        settings = Settings(mode=ModeSettings(profile=profile))
        backend = await connect(
            wanted, settings=settings, limiter=Tokens(), meter=Counter(), clock=HandClock(5.0)
        )
        await backend.close()
        return backend.identified.scope.account

    with pytest.raises(UsageError, match="read for profile 'dev', but the AWS SDK uses profile 'production'"):
        await opened("dev")
    assert stub.received == []
    assert await opened("production") == ACCOUNT
