"""State of functions: who is asked about, in which order, and what a denial costs."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub
from msgspec.structs import replace

from lambdatop.aws.collectors.states import CHANGED_S, PER_ROUND, StatesSource
from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

ACTION = "lambda:GetFunctionConfiguration"
FAILED = {
    "State": "Failed",
    "StateReasonCode": "ImageDeleted",
    "StateReason": "The image was deleted.\x1b[2J",
    "LastUpdateStatus": "Successful",
}


def key(name: str) -> Key:
    return Key(SCOPE, "function", name)


def listed(*names: str, at: float = 1.0, changed: float | None = None) -> ev.FunctionsListed:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    functions = tuple(FunctionFacts(key(n), arn + n, last_modified=changed) for n in names)
    return ev.FunctionsListed(SCOPE, at, functions)


def steady_until(name: str, last: int) -> ev.MetricsObserved:
    points = tuple((last - 60 * n, 9.0) for n in range(50, -1, -1))
    series = ev.MetricPoints(SeriesKey(key(name), "Invocations", "Sum"), points)
    return ev.MetricsObserved(SCOPE, last + 900.0, last - 3600.0, last + 900.0, (series,))


async def test_watched_changed_and_silent_functions_are_asked_about(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "lambda", "GetFunctionConfiguration", lambda p: {"FunctionName": p["FunctionName"], "State": "Active"}
    )
    made = bench()
    now = made.view().now
    quiet = int(now // 60 * 60) - 900
    world = fold_all(
        EMPTY_WORLD, [listed("idle", "watched", "silent", "runs"), steady_until("silent", quiet)]
    )
    world = fold_all(world, [steady_until("runs", int(now // 60 * 60) - 120)])
    source = StatesSource(made.api, SCOPE)
    view = replace(made.view(world), watched=frozenset({key("watched")}))
    assert source.unasked(view) == (Gap("states", ACTION, None, "not asked", 4),)
    (event,) = await source.collect(view)
    assert isinstance(event, ev.StatesObserved)
    assert [k.id for k, _ in event.states] == ["watched", "silent", "idle", "runs"]
    assert source.unasked(view) == ()


async def test_changed_functions_come_before_those_whose_turn_it_is(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "GetFunctionConfiguration", {"State": "Active"})
    made = bench()
    now, names = made.view().now, [f"f{n:02}" for n in range(30)]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    ago_s = {name: CHANGED_S + (-60 if name > "f20" else 60) for name in names}
    facts = tuple(FunctionFacts(key(n), arn + n, last_modified=now - s) for n, s in ago_s.items())
    view = made.view(fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, 1.0, facts)]))
    source, asked = StatesSource(made.api, SCOPE), list[str]()
    while source.unasked(view):
        (event,) = await source.collect(view)
        assert isinstance(event, ev.StatesObserved)
        asked += [k.id for k, _ in event.states]
    assert asked[:PER_ROUND] == [*names[21:28], *names[:3]], "seven of ten places"
    assert set(asked) == set(names), "all have their turn"
    assert len(asked) <= 5 * PER_ROUND


async def test_what_it_tells_is_cleaned_and_those_that_do_not_run_are_asked_again_first(
    stub: WireStub, bench: MakeBench
) -> None:
    names = [f"f{n:02}" for n in range(PER_ROUND + 3)]
    stub.on("lambda", "GetFunctionConfiguration", FAILED)
    made = bench()
    now = made.view().now
    world = fold_all(EMPTY_WORLD, [listed(*names, changed=now)])
    bad = FunctionState("Failed", "ImageDeleted")
    world = fold_all(world, [ev.StatesObserved(SCOPE, 1.0, ((key("f12"), bad),))])
    (event,) = await StatesSource(made.api, SCOPE).collect(made.view(world))
    assert isinstance(event, ev.StatesObserved)
    assert [k.id for k, _ in event.states] == ["f12", *names[: PER_ROUND - 1]]
    told = event.states[0][1]
    assert (told.state, told.code, told.update) == ("Failed", "ImageDeleted", "Successful")
    assert told.words == "Failed, ImageDeleted: The image was deleted.\u241b[2J"


async def test_a_denial_is_a_gap_and_a_deleted_function_is_none(stub: WireStub, bench: MakeBench) -> None:
    def answer(params: dict[str, Any]) -> Any:
        name = params["FunctionName"]
        faults = {"gone": Fault("ResourceNotFoundException", status=404)}
        return faults.get(name) or (Fault("AccessDeniedException", status=403) if name == "no" else FAILED)

    stub.on("lambda", "GetFunctionConfiguration", answer)
    made = bench()
    world = fold_all(EMPTY_WORLD, [listed("gone", "no", "yes", changed=made.view().now)])
    source = StatesSource(made.api, SCOPE)
    states, gaps = await source.collect(made.view(world))
    assert isinstance(states, ev.StatesObserved)
    assert isinstance(gaps, ev.GapsObserved)
    assert [k.id for k, _ in states.states] == ["yes"]
    assert gaps.gaps == (Gap("states", "lambda:GetFunctionConfiguration", "no", "denied"),)
    with pytest.raises(Denied):
        await source.collect(made.view(fold_all(EMPTY_WORLD, [listed("no", changed=made.view().now)])))


def test_an_older_answer_does_not_replace_a_newer_one() -> None:
    well, bad = FunctionState("Active"), FunctionState("Failed")
    world: World = fold_all(
        EMPTY_WORLD,
        [
            ev.StatesObserved(SCOPE, 9.0, ((key("f"), bad),)),
            ev.StatesObserved(SCOPE, 5.0, ((key("f"), well),)),
        ],
    )
    assert world.states[key("f")] == (9.0, bad)
