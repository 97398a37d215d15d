"""One bare repaired emulator for this directory, reset before each test that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from demo.clients import Aws
from demo.mitigation_flow import MitigationFlow, open_flow

from lambdatop.demo.process.launch import start
from lambdatop.engine.mutating import composite, read_back


@pytest.fixture(scope="session")
def bare() -> Iterator[Aws]:
    with start(deploy=False, async_retry_s=0.1) as demo:
        aws = Aws(demo)
        yield aws
        aws.close()


@pytest.fixture
def aws(bare: Aws) -> Aws:
    bare.demo.reset()
    return bare


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read more often than from AWS: the emulator settles sooner."""
    monkeypatch.setattr(read_back, "PAUSES_S", (0.0, *[0.15] * 50))
    monkeypatch.setattr(composite, "CHECK_EVERY_S", 0.15)


@pytest_asyncio.fixture
async def mitigation_flow(aws: Aws, tmp_path: Path, quick_looks: None) -> AsyncIterator[MitigationFlow]:
    async with open_flow(aws, tmp_path) as way:
        yield way
