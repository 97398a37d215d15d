"""Where drained messages go: the state directory, and in the demo a place that vanishes with it."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from fakes.account import ORDERS, Account, FakeMutator, FakeReader
from fakes.entries import SCOPE
from msgspec.structs import replace

from lambdatop.cli.compose import Parts, engine_thread, mitigation_flow, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.demo_session import DemoRun, DemoSpills
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.state.events import TargetIdentified
from lambdatop.storage.drained_messages import SpillFiles, file_name

NAME = file_name(SCOPE, ORDERS.id)


class Place(DemoRun):
    """A run of the demo that runs where a test says."""

    def __init__(self) -> None:
        super().__init__("calm", read_only=False)
        self.running: Any = None

    @property
    def demo(self) -> Any:
        return self.running


@dataclass
class Running:
    """As much of a running demo."""

    directory: str


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return settle(argparse.Namespace(), {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")})


@pytest.fixture
def parts(context: Context) -> Iterator[Parts]:
    """Yield the parts of a user's run without AWS."""
    account = Account()

    async def close() -> None:
        """Close nothing."""

    async def connect() -> Backend:
        identified = TargetIdentified(scope=SCOPE, at=0.0, identity="tester", endpoint="")
        return Backend(identified, (), FakeReader(account), FakeMutator(account), close)

    with wire(context) as made:
        yield replace(made, connect=connect)


def drained(context: Context) -> int:
    return len((context.paths.state_dir / "drained" / NAME).read_text().splitlines())


def plan(proposal: Proposal) -> Plan:
    assert isinstance(proposal, Plan), proposal
    return proposal


async def test_a_command_drains_into_the_state_directory(context: Context, parts: Parts) -> None:
    async with mitigation_flow(context, parts) as (_, executor):
        wanted = plan(await executor.proposals.propose("quarantine_queue", ORDERS, {"to": "file"}))
        done = await executor.execute(wanted, parts.clock.now())
    assert done.kind == "applied", done.message
    assert drained(context) == 12


async def test_the_console_drains_into_the_state_directory(context: Context, parts: Parts) -> None:
    thread = engine_thread(context, parts)
    thread.start()
    try:
        proposed = thread.propose("quarantine_queue", ORDERS, {"to": "file"})
        wanted = plan(await asyncio.wrap_future(proposed))
        done = await asyncio.wrap_future(thread.execute(wanted, parts.clock.now()))
    finally:
        await asyncio.to_thread(thread.stop)
    assert done.kind == "applied", done.message
    assert drained(context) == 12


def test_the_demo_drains_among_its_own_files_or_not_at_all(context: Context, tmp_path: Path) -> None:
    place = Place()
    spills = DemoSpills(place)
    with pytest.raises(LambdatopError, match="does not run"):
        spills.open(SCOPE, ORDERS.id)
    place.running = Running(str(tmp_path / "demo"))
    body = {"MessageId": "1", "Body": "", "MD5OfBody": "d41d8cd98f00b204e9800998ecf8427e"}
    assert spills.open(SCOPE, ORDERS.id).keep([body]) == 1
    (line,) = (tmp_path / "demo/state/drained" / NAME).read_text().splitlines()
    assert json.loads(line)["drained_at"] > "2026"
    with wire(context, cast(Any, place), cast(Any, None), spills) as parts:
        assert parts.spills is spills
    with wire(context, cast(Any, place)) as parts:
        assert parts.spills is None, "whoever forgets them must not leave the demo's messages with the user's"
    with wire(context) as parts:
        assert isinstance(parts.spills, SpillFiles)
    assert not (context.paths.state_dir / "drained").exists()


def test_what_is_saved_in_the_demo_lies_in_the_demo(tmp_path: Path) -> None:
    place = Place()
    with pytest.raises(LambdatopError, match="does not run yet"):
        place.state_dir()
    place.running = Running(str(tmp_path))
    assert place.state_dir() == tmp_path / "state"
