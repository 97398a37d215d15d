"""The polling plan on the wire: what is sent when, what is folded, and what happens where AWS says no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_stub import Fault, WireStub
from msgspec.structs import replace

from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.domain.errors import SourceError, Throttled
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import (
    ActivityObserved,
    Event,
    FunctionsListed,
    MappingsListed,
    MetricsObserved,
    PollsPlanned,
    QueuesObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

NOW = 1_800_000_030.0
LAST = 1_799_999_940
MANY, ACTIVE, FULL = 2_000, 1_200, 1_400
"""FULL is more than one round of a full look takes."""


def fn(number: int) -> Key:
    return Key(SCOPE, "function", f"f{number:04d}")


def world_of(count: int) -> World:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
    listed = tuple(FunctionFacts(fn(i), f"{arn}:{fn(i).id}") for i in range(count))
    events = (
        FunctionsListed(SCOPE, 1.0, listed),
        MappingsListed(SCOPE, 1.0, ()),
        QueuesObserved(SCOPE, 1.0, ()),
    )
    return fold_all(EMPTY_WORLD, events)


class Cloud:
    """Answers for `active` functions; `errors` a minute of one of them in the newest minutes."""

    def __init__(self, stub: WireStub, active: int) -> None:
        self.stub, self.active = stub, active
        self.errors: dict[int, float] = {}
        stub.on("cloudwatch", "GetMetricData", self.data)
        stub.on("cloudwatch", "ListMetrics", self.listed)

    def data(self, params: dict[str, Any]) -> dict[str, Any]:
        results = []
        for query in params["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            number = int(metric["Dimensions"][0]["Value"][1:]) if metric.get("Dimensions") else None
            points = self.points(metric["MetricName"], number)
            stamps = [at for at, _ in points if params["StartTime"] <= at < params["EndTime"]]
            values = [v for at, v in points if params["StartTime"] <= at < params["EndTime"]]
            results.append(
                {"Id": query["Id"], "Timestamps": stamps, "Values": values, "StatusCode": "Complete"}
            )
        return {"MetricDataResults": results}

    def points(self, metric: str, number: int | None) -> list[tuple[int, float]]:
        errors = sum(self.errors.values()) if number is None else self.errors.get(number, 0.0)
        runs = 500.0 if number is None else 2.0 if number < self.active else 0.0
        if metric == "Errors":
            return [(LAST - 60, errors), (LAST, errors)] if errors else []
        if metric == "Invocations" and (runs or errors):
            return [(LAST - 60 * i, runs + errors) for i in range(60)][::-1]
        return []

    def listed(self, params: dict[str, Any]) -> dict[str, Any]:
        first = int(params.get("NextToken") or 0)
        names = [fn(i).id for i in range(first, min(first + 500, self.active))]
        metrics = [_metric(name) for name in names]
        metrics += [_metric(name, ("Resource", f"{name}:live")) for name in names[:1]]
        more = {"NextToken": str(first + 500)} if first + 500 < self.active else {}
        return {"Metrics": metrics} | more

    def asked(self) -> Counter[str]:
        """Return the series by metric name since the last call."""
        calls = self.stub.calls("GetMetricData")
        queries = [q["MetricStat"]["Metric"] for p in calls[self._seen() :] for q in p["MetricDataQueries"]]
        self.seen = len(calls)
        return Counter(q["MetricName"] if q.get("Dimensions") else "account" for q in queries)

    def _seen(self) -> int:
        return getattr(self, "seen", 0)


def _metric(name: str, *more: tuple[str, str]) -> dict[str, Any]:
    pairs = [("FunctionName", name), *more]
    dimensions = [{"Name": n, "Value": v} for n, v in pairs]
    return {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions}


class PollingStatus:
    """A source, the World it fills, and a clock by hand."""

    def __init__(self, made: Bench, world: World, settings: Settings | None = None) -> None:
        self.made, self.world = made, world
        self.source = MetricsSource(made.api, SCOPE, settings or Settings())
        self.woken = 0
        self.source.when_news_come(self.wake)

    def wake(self) -> None:
        self.woken += 1

    async def round(self, after_s: float = 0.0, **view: Any) -> list[Event]:
        self.made.clock.at = (self.made.clock.at or 0.0) + after_s
        events = list(await self.source.collect(replace(View(self.made.clock.now(), self.world), **view)))
        self.world = fold_all(self.world, events)
        return events

    def row(self, number: int) -> FunctionRow:
        made = build_snapshot(
            self.world,
            previous=EMPTY_SNAPSHOT,
            at=self.made.clock.now(),
            version="0",
            mode="operator",
            settings=Settings(),
        )
        return next(r for r in made.functions if r.key == fn(number))


def planned(events: Sequence[Event]) -> PollsPlanned:
    (found,) = [e for e in events if isinstance(e, PollsPlanned)]
    return found


async def test_the_first_round_of_a_large_account(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    rows = frozenset(map(fn, range(10)))
    events = await polling.round(visible=rows)
    asked = cloud.asked()
    assert asked["account"] == 11
    assert asked["Errors"] == ACTIVE + 10, "all that ran lately are swept, ten of them have detail"
    assert asked["Invocations"] == asked["Throttles"] == 10
    first, second, third = stub.calls("ListMetrics")
    assert (first["RecentlyActive"], first["Namespace"], second["NextToken"]) == ("PT3H", "AWS/Lambda", "500")
    assert third["NextToken"] == "1000"
    (activity,) = [e for e in events if isinstance(e, ActivityObserved)]
    assert set(activity.functions) == set(map(fn, range(ACTIVE)))
    assert planned(events).polling.spending == "calm"
    assert planned(events).polling.usd_per_hour <= 0.05
    assert polling.world.polling == planned(events).polling


async def test_the_rounds_that_follow_ask_for_totals_only(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    rows = frozenset(map(fn, range(40)))
    await polling.round(visible=rows)
    cloud.asked()
    await polling.round(60, visible=rows)
    assert cloud.asked() == {"account": 11}
    await polling.round(10, visible=rows)
    assert cloud.asked() == {}, "woken early, nothing is due"
    await polling.round(1, visible=rows | {fn(1_700)})
    assert cloud.asked() == {
        "Invocations": 1, "Errors": 1, "Throttles": 1, "Duration": 3,
        "ConcurrentExecutions": 1, "AsyncEventsReceived": 1, "AsyncEventAge": 1,
    }  # fmt: skip
    assert len(stub.calls("ListMetrics")) == 3


async def test_a_move_finds_its_function_in_the_same_round(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    await polling.round()
    cloud.errors[321] = 80.0
    cloud.asked()
    events = await polling.round(60)
    asked = cloud.asked()
    assert asked["Errors"] == ACTIVE + 1
    assert asked["Throttles"] == 1
    assert polling.row(321).errors_per_min == pytest.approx(80.0, rel=0.7)
    assert planned(events).polling.why.startswith("errors 80 in a minute")
    await polling.round(60)
    assert cloud.asked()["Errors"] == 1, "its detail explains the move, nobody else is searched for"


async def test_who_seemed_asleep_is_searched_for_in_the_same_round(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    await polling.round()
    cloud.errors[1_900] = 80.0
    await polling.round(60)
    assert polling.row(1_900).errors_per_min
    assert fn(1_900) in polling.world.metrics_at


async def test_who_was_only_swept_is_not_taken_for_idle(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    cloud.errors[5] = 1.0
    await polling.round(visible=frozenset({fn(1)}))
    swept, seen, asleep = polling.row(5), polling.row(1), polling.row(1_500)
    assert (swept.as_of, swept.invocations_per_min, swept.errors_per_min) == (None, None, None)
    assert (seen.as_of, seen.invocations_per_min) == (NOW, 2.0)
    assert (asleep.as_of, asleep.invocations_per_min) == (NOW, 0.0), "ListMetrics says that it did not run"


async def test_figures_stand_at_their_age_while_nobody_asks(stub: WireStub, bench: MakeBench) -> None:
    _, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    await polling.round(visible=frozenset({fn(1)}))
    before = polling.row(1)
    polling.made.clock.at = NOW + 1_500
    after = polling.row(1)
    assert after.as_of == NOW
    assert after.invocations_per_min == before.invocations_per_min == 2.0


async def test_a_sweep_leaves_the_age_of_the_other_series_alone(stub: WireStub, bench: MakeBench) -> None:
    _, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    await polling.round(visible=frozenset({fn(1)}))
    events = await polling.round(3_700)
    (sweep,) = [e for e in events if isinstance(e, MetricsObserved) and e.partial]
    assert len(sweep.data) == ACTIVE
    assert polling.world.metrics_at[fn(1)] == NOW
    assert polling.row(1).as_of == NOW


@pytest.mark.parametrize("fault", ["AccessDenied", "InternalFailure"])
async def test_without_list_metrics_all_count_as_active(stub: WireStub, bench: MakeBench, fault: str) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    stub.on("cloudwatch", "ListMetrics", Fault(fault))
    events = await polling.round()
    assert cloud.asked()["Errors"] == MANY
    note = planned(events).polling.note
    assert note.startswith("which functions ran lately is not known")
    assert ("cloudwatch:ListMetrics is denied" in note) == (fault == "AccessDenied")
    assert "activity" not in {type(e).__name__ for e in events}
    await polling.round(60)
    assert len(stub.calls("ListMetrics")) == 1, "it is not asked each minute"


async def test_a_full_look_is_complete_costs_what_was_said_and_ends(stub: WireStub, bench: MakeBench) -> None:
    cloud, polling = Cloud(stub, 100), PollingStatus(bench(at=NOW), world_of(FULL))
    told = planned(await polling.round()).polling.full_units
    cloud.asked()
    first = await polling.round(60, full=True)
    assert polling.woken == 1
    assert not planned(first).full
    second = await polling.round(1, full=True)
    assert planned(second).full
    assert polling.woken == 1
    asked = cloud.asked()
    assert asked["Invocations"] == asked["Throttles"] == FULL
    assert asked.total() == pytest.approx(told, rel=0.1)
    assert all(fn(i) in polling.world.metrics_at for i in range(FULL))
    after = await polling.round(60)
    assert not planned(after).full
    assert cloud.asked() == {"account": 11}, "it is not held against the budget, and not repeated"


async def test_a_throttled_round_slows_the_whole_process_down_there(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    stub.on("cloudwatch", "GetMetricData", Fault("ThrottlingException"))
    with pytest.raises(Throttled):
        await PollingStatus(made, world_of(3)).round()
    assert made.limiter.slowed == ["cloudwatch"]
    stub.on("cloudwatch", "GetMetricData", Fault("InternalFailure"))
    with pytest.raises(SourceError):
        await PollingStatus(made, world_of(3)).round()
    assert made.limiter.slowed == ["cloudwatch"]


async def test_what_was_spent_before_a_new_connection_is_not_forgotten(
    stub: WireStub, bench: MakeBench
) -> None:
    cloud, polling = Cloud(stub, ACTIVE), PollingStatus(bench(at=NOW), world_of(MANY))
    spend = replace(polling.world.spend, usd=3.0, usd_per_hour=0.5, budget_usd_per_hour=0.5)
    polling.world = replace(polling.world, spend=spend)
    await polling.round(visible=frozenset({fn(1)}), hot=frozenset({fn(2)}))
    assert cloud.asked() == {"account": 11}, "the budget of this hour is gone"
