"""An account that the configuration holds to read-only: known only once AWS has said who we are."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, IDENTITY, Counter, HandClock, Tokens, towards
from fakes.wire_stub import WireStub
from msgspec.structs import replace

from lambdatop.aws import connect as door
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import LeaseSettings, ModeSettings, Settings

pytestmark = pytest.mark.sdk

MODE = ModeSettings(accounts=((ACCOUNT, "config.yaml:3 (account)"),))


async def _open(stub: WireStub, mode: ModeSettings, account: str = ACCOUNT) -> Backend:
    stub.on("sts", "GetCallerIdentity", IDENTITY | {"Account": account})
    return await door.connect(
        towards(stub.url),
        settings=Settings(mode=mode, lease=LeaseSettings(table="leases")),
        limiter=Tokens(),
        meter=Counter(),
        clock=HandClock(5.0),
    )


async def test_it_becomes_read_only_before_there_is_a_mutator(
    stub: WireStub, clean: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    real = door._backend

    def noted(connection, settings, api, guard, session, *rest):  # type: ignore[no-untyped-def]
        seen.update(guard=guard, session=session, read_only=connection.read_only)
        return real(connection, settings, api, guard, session, *rest)

    monkeypatch.setattr(door, "_backend", noted)
    backend = await _open(stub, MODE)
    assert (backend.mutator, backend.lease) == (None, None)
    assert (backend.identified.forced, backend.identified.lifted) == ("config.yaml:3 (account)", "")
    assert seen["read_only"]
    assert seen["guard"].read_only
    async with seen["session"].create_client("lambda", region_name="eu-central-1") as client:
        assert hasattr(client, "list_functions")
        assert not hasattr(client, "put_function_concurrency")
        assert not hasattr(client, "generate_presigned_url")
    await backend.close()


async def test_write_lifts_it_and_that_is_told(stub: WireStub, clean: object) -> None:
    backend = await _open(stub, replace(MODE, write="flag --write"))
    assert backend.mutator is not None
    assert (backend.identified.forced, backend.identified.lifted) == ("", "config.yaml:3 (account)")
    await backend.close()


async def test_another_account_is_not_concerned(stub: WireStub, clean: object) -> None:
    backend = await _open(stub, MODE, "999999999999")
    assert backend.mutator is not None
    assert backend.identified.forced == ""
    await backend.close()


async def test_an_account_that_cannot_be_told_is_held_to_it(stub: WireStub, clean: object) -> None:
    backend = await _open(stub, MODE, "12345")
    assert backend.mutator is None
    assert "could not be told" in backend.identified.forced
    await backend.close()
