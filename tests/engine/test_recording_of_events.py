from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fakes.engine_bench import EngineBench

from lambdatop.domain.state.events import Event, FunctionsListed, SourceReported, TargetIdentified
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World


async def test_the_record_sees_what_is_folded_in_the_same_order(tmp_path: Path) -> None:
    recorded: list[Event] = []
    folded: list[Event] = []

    def fold_and_note(world: World, events: Sequence[Event]) -> World:
        assert recorded[len(folded) : len(folded) + len(events)] == list(events), "before the fold"
        folded.extend(events)
        return fold_all(world, events)

    bench = EngineBench(tmp_path, record=recorded.extend, fold_all=fold_and_note)
    async with bench.running():
        await bench.clock.advance(30)
        snapshot = await bench.engine.snapshot_once(5)
    assert recorded == folded
    kinds = {type(event) for event in recorded}
    assert {TargetIdentified, FunctionsListed, SourceReported} <= kinds
    assert [f.facts for f in snapshot.functions] == list(
        fold_all(EMPTY_WORLD, recorded).functions.values()
    ), "what was recorded makes the same world"
