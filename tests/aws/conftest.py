from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench, Counter, HandClock, Tokens
from fakes.wire_account import furnish
from fakes.wire_stub import WireStub
from fakes.wire_world_flow import timeouts

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.demo.process import launch
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import Settings

MakeBench = Callable[..., Bench]
Open = Callable[[Connection], Any]


@pytest.fixture
async def stub() -> AsyncIterator[WireStub]:
    """Yield a wire stub; a request that AWS would not have understood fails the test."""
    async with WireStub() as running:
        yield running
    assert running.problems == []
    assert running.strangers == []


@pytest.fixture
async def bench(stub: WireStub) -> AsyncIterator[MakeBench]:
    """Yield a maker of read connections to the stub, closed at the end."""
    made: list[Bench] = []

    def make(**options: object) -> Bench:
        made.append(Bench(stub.url, **options))  # type: ignore[arg-type]
        return made[-1]

    # The stub answers on the loop of the client: beside other programs its largest answers take seconds.
    with timeouts(connect_timeout=60.0):
        yield make
    for one in made:
        await one.close()


@pytest.fixture
def account(stub: WireStub) -> WireStub:
    """Return the stub, with the account of `fakes/wire_account.py` behind it."""
    furnish(stub)
    return stub


@pytest.fixture
def reader(account: WireStub, bench: MakeBench) -> AwsReader:
    """Return a reader of that account, at a fixed time."""
    return AwsReader(bench(at=1_800_000_000.0).api, SCOPE)


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[launch.Demo]:
    """Yield one bare emulator for the whole run."""
    demo = launch.start(deploy=False)
    yield demo
    demo.stop()


@pytest.fixture
def emulator(emulator_process: launch.Demo) -> launch.Demo:
    """Return the emulator, empty."""
    emulator_process.reset()
    return emulator_process


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    backends: list[Backend] = []

    async def go(connection: Connection) -> Backend:
        backends.append(
            await connect(
                connection, settings=Settings(), limiter=Tokens(), meter=Counter(), clock=HandClock(5.0)
            )
        )
        return backends[-1]

    yield go
    for backend in backends:
        await backend.close()


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Remove everything of AWS from the environment, and use an empty directory for files."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch
