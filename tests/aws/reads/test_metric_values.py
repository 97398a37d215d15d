"""Values that no metric can have cost their points: no row, finding or document is lost by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fakes.aws_doubles import IDENTITY, SCOPE
from fakes.incident_account import MINUTES, NOW, furnish
from fakes.nightly import dealt
from fakes.wire_stub import WireStub

from lambdatop.aws.logs.insights import Insights
from lambdatop.aws.reads.metric_data import observe, span_until
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.wire.response_hooks import oddities_of
from lambdatop.aws.sources import build_sources
from lambdatop.aws.spec import Opened
from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import TargetIdentified
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.report.text.snapshot import snapshot_text

from ..conftest import MakeBench

IMPOSSIBLE = (1.7e308, -1.7e308, 2.0**360, -5.0, 5e-324, 10**330, float("nan"), float("inf"), "7", None, [1])
SHOP = SeriesKey(Key(SCOPE, "function", "shop"), "Errors", "Sum")
QUERY = Query(SHOP, "AWS/Lambda", (("FunctionName", "shop"),))
SPAN = span_until(NOW, 5)


def answer(params: Mapping[str, Any], values: list[Any]) -> dict[str, Any]:
    """Return all series with the newest minutes first."""
    times = [int(NOW) // 60 * 60 - 60 * n for n in range(1, len(values) + 1)]
    results = [
        {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": times, "Values": values}
        for query in params["MetricDataQueries"]
    ]
    return {"MetricDataResults": results}


async def snapshot_of(stub: WireStub, make: MakeBench, values: list[Any]) -> Snapshot:
    furnish(stub)
    stub.on("cloudwatch", "GetMetricData", lambda params: answer(params, values))
    bench, settings = make(at=NOW), Settings(region=SCOPE.region)
    world = fold_all(EMPTY_WORLD, [TargetIdentified(SCOPE, NOW, str(IDENTITY["Arn"]))])
    for source in build_sources(Opened(bench.api, SCOPE, settings, identity=str(IDENTITY["Arn"]))) * 2:
        try:
            world = fold_all(world, await source.collect(bench.view(world, SHOP.key)))
        except SourceError:
            continue
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=settings
    )


@pytest.mark.parametrize(
    ("odd", "share"),
    [(odd, share) for odd in IMPOSSIBLE for share in dealt((1, 2, MINUTES), 1, repr(odd))],
    ids=lambda given: repr(given)[:12],
)
async def test_everything_is_shown_whatever_the_metrics_say(
    stub: WireStub, bench: MakeBench, odd: Any, share: int
) -> None:
    values = [odd if n % share == 0 else 3.0 for n in range(MINUTES)]
    snapshot = await snapshot_of(stub, bench, values)
    document = snapshot_json(snapshot)
    made = [
        json.dumps(document, allow_nan=False),
        snapshot_text(snapshot),
        report(snapshot, Asked("u", "h", Settings().mode)),
    ]
    assert document["failed_sections"] == []
    assert len(snapshot.functions) == 4
    assert not [text for text in made if "could not be shown" in text or "inf" in text.lower().split()]


@pytest.mark.parametrize("odd", IMPOSSIBLE, ids=lambda odd: repr(odd)[:12])
async def test_an_impossible_value_costs_its_point_and_is_said(
    stub: WireStub, bench: MakeBench, odd: Any
) -> None:
    stub.on("cloudwatch", "GetMetricData", lambda params: answer(params, [1.0, odd, 3.0]))
    made = bench(at=NOW)
    observed = await observe(made.api, SCOPE, [QUERY], SPAN, EMPTY_WORLD)
    end = int(NOW) // 60 * 60
    assert [tuple(points.points) for points in observed.data] == [((end - 180, 3.0), (end - 60, 1.0))]
    assert oddities_of(made.session).left_out == {("cloudwatch:GetMetricData", "Values"): 1}


async def test_values_that_belong_to_no_minutes_are_no_values(stub: WireStub, bench: MakeBench) -> None:
    def short(params: dict[str, Any]) -> dict[str, Any]:
        found = answer(params, [1.0, 2.0, 3.0])
        found["MetricDataResults"][0]["Values"].pop(0)
        return found

    stub.on("cloudwatch", "GetMetricData", short)
    with pytest.raises(SourceError, match="none of the series completely"):
        await observe(bench(at=NOW).api, SCOPE, [QUERY], SPAN, EMPTY_WORLD)


@pytest.mark.parametrize("odd", IMPOSSIBLE, ids=lambda odd: repr(odd)[:12])
async def test_what_a_question_scans_is_estimated_without_them(
    stub: WireStub, bench: MakeBench, odd: Any
) -> None:
    stub.on("cloudwatch", "GetMetricData", lambda params: answer(params, [odd, 7.0, odd]))
    assert await Insights(bench(at=NOW).api, SCOPE).estimate_bytes(["g"], NOW - 900, NOW) == 7
