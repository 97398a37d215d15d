"""What only one mitigation needs to know is read for that one only, and is missed in words."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.entries import SCOPE
from fakes.worlds import NOW, function

from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.principal import TrailEvent
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.ports.aws import Related
from lambdatop.engine.mutating.proposals import Proposals
from lambdatop.storage.journal_file import JournalFile

WORKER = Key(SCOPE, "function", "orders-worker")


class Reader:
    """One function; `loop` is what reading its recursion configuration gives."""

    def __init__(self, loop: str | Exception) -> None:
        self.loop = loop
        self.asked: list[str] = []

    async def related(self, function: Key, kind: str) -> Related:
        return Related()

    async def who(self, key: Key) -> tuple[TrailEvent, ...]:
        return ()

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        return WORKER

    async def situation(self, key: Key) -> FunctionSituation:
        arn = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{WORKER.id}"
        return FunctionSituation(Ref(WORKER, arn, WORKER.id), NOW, function(), None)

    async def state(self, plan_target: Key, fields: Collection[str]) -> dict[str, Any]:
        self.asked += fields
        if isinstance(self.loop, Exception):
            raise self.loop
        return {"recursive_loop": self.loop}


def proposals(reader: Reader, directory: Path) -> Proposals:
    return Proposals(FakeClock(), JournalFile(directory), reader, SCOPE)


async def test_a_panic_key_waits_for_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    reader = Reader("Allow")
    assert isinstance(await proposals(reader, tmp_path).propose("throttle_to_zero", WORKER, {}), Plan)
    assert reader.asked == []
    assert isinstance(await proposals(reader, tmp_path).propose("stop_recursion", WORKER, {}), Plan)
    assert reader.asked == ["recursive_loop"]


@pytest.mark.parametrize("error", [Denied("lambda:GetFunctionRecursionConfig is denied to this identity.")])
async def test_what_could_not_be_read_is_said(tmp_path: Path, error: Exception) -> None:
    refusal = await proposals(Reader(error), tmp_path).propose("stop_recursion", WORKER, {})
    assert isinstance(refusal, Refusal)
    assert "could not be read" in refusal.reason
    assert "lambda:GetFunctionRecursionConfig is denied" in refusal.hint
