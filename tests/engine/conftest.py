from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _inline_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run journal calls on the loop, so that a hand-driven clock sees them end.

    `real_threads` opts out.
    """

    async def inline(function: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args)

    if "real_threads" not in request.fixturenames:
        monkeypatch.setattr(asyncio, "to_thread", inline)


@pytest.fixture
def real_threads() -> None:
    """Use real threads in this test."""
