"""The laboratory of the fault tests: one per file, since making all its connections takes a while."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.wire_world import WireWorld, WorldStub
from fakes.wire_world_flow import Lab, lab
from fakes.wire_world_kills import Nursery, nursery

Fresh = Callable[[], Path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Lab]:
    """Yield a world behind its stub, with connections that work and connections that do not."""
    async with lab() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def elsewhere() -> AsyncIterator[WorldStub]:
    """Yield another host, which counts what reaches it: nothing may."""
    async with WorldStub(WireWorld()) as stub:
        yield stub
        assert (stub.received, stub.strangers) == ([], [])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def warm(bench: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nursery]:
    """Yield a process that forks consoles."""
    async with nursery(bench.stub.url, tmp_path_factory.mktemp("nursery")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Fresh:
    """Return a new directory for each cell."""
    numbers = count()
    return lambda: tmp_path / f"cell{next(numbers)}"
