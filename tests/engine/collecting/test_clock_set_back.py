"""A clock that is set back while somebody looks: what comes then counts, nothing stands still unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.engine_bench import NAMES, EngineBench
from fakes.entries import SCOPE, WORKER

from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import or_none
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.engine.collecting.reconnect import NAME as CONNECTION

DAY_S = 86_400.0
ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:"


def _timeouts(bench: EngineBench) -> list[int | None]:
    return [or_none(row.facts.timeout_s) for row in bench.engine.latest().functions]


def _answer_with(bench: EngineBench, timeout_s: int) -> None:
    facts = FunctionFacts(WORKER, ARN + WORKER.id, timeout_s=timeout_s)
    bench.sources["functions"].answer = lambda: (FunctionsListed(SCOPE, bench.clock.now(), (facts,)),)


@pytest.mark.parametrize("back_s", [6.0, 600.0, DAY_S])
async def test_what_is_read_after_the_step_is_shown(tmp_path: Path, back_s: float) -> None:
    async with EngineBench(tmp_path).running() as bench:
        _answer_with(bench, 3)
        await bench.clock.until(lambda: _timeouts(bench) == [3])
        _answer_with(bench, 30)
        bench.clock.step(-back_s)
        await bench.clock.until(lambda: _timeouts(bench) == [30], limit_s=10)
        await bench.clock.until(lambda: all(bench.states().get(n) == "ok" for n in NAMES), limit_s=10)
        ages = [s.age_s for s in bench.engine.latest().sources]
        assert all(age is None or 0 <= age < 10 for age in ages), ages
        assert bench.backend.closed == 1


async def test_a_connection_that_cannot_be_made_then_is_said(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.until(lambda: bool(bench.engine.latest().functions))
        bench.backend.errors.append(SourceError("The signature is from the future."))
        bench.clock.step(-DAY_S)
        await bench.clock.until(lambda: bench.states().get(CONNECTION) == "failed", limit_s=10)
        assert "from the future" in bench.error(CONNECTION)
        await bench.clock.until(lambda: bench.states().get(CONNECTION) == "ok", limit_s=60)


@pytest.mark.parametrize("step_s", [-4.0, 600.0])
async def test_a_correction_and_a_step_forward_need_no_new_connection(tmp_path: Path, step_s: float) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.until(lambda: bool(bench.engine.latest().functions))
        bench.clock.step(step_s)
        await bench.clock.advance(10)
        assert bench.backend.opened == 1


async def test_a_change_that_is_on_its_way_meanwhile_ends_as_ever(tmp_path: Path) -> None:
    async with EngineBench(tmp_path).running() as bench:
        await bench.clock.advance(2)
        task = await bench.executing()
        bench.clock.step(-DAY_S)
        await bench.clock.until(lambda: bench.backend.opened == 2, limit_s=10)
        bench.release()
        await bench.clock.until(task.done)
        assert task.result().kind == "applied"
        assert [e.outcome for e in bench.journal.read()] == ["applied"]
