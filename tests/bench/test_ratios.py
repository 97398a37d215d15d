"""The guard of CI: ratios within one run, with room for noise. What fails has become several times slower."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from bench.collection_speed import our_queries
from bench.metric_stub import answer
from bench.round_speed import build, cpu_ms, first_ms
from fakes import big_world
from fakes.worlds import NOW, PROMPT, SCOPE

from lambdatop.aws.reads.metric_data import Answered, Span, usable
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.quotas.rows import quota_rows
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import EMPTY_WORLD

SMALL, LARGE = 300, 1_500
SERIES, MINUTES = 500, 60


def least(work: Callable[[], object]) -> float:
    return min(cpu_ms(work) for _ in range(3))


def test_a_round_without_news_costs_a_fraction_of_one_that_makes_everything() -> None:
    world = big_world.world(LARGE)
    latest = build(world, build(world, EMPTY_SNAPSHOT, NOW), NOW + 1)
    anew = least(lambda: build(world, EMPTY_SNAPSHOT, NOW + 1))
    assert least(lambda: build(world, latest, NOW + 2)) < anew / 3


def test_quotas_cost_a_fraction_of_the_rows() -> None:
    """Ranked first and made later: a trend is calculated for what is shown, not for every reservation."""
    world = big_world.world(LARGE)
    anew = least(lambda: build(world, EMPTY_SNAPSHOT, NOW + 1))
    assert least(lambda: quota_rows(world, NOW + 1, PROMPT)) < anew / 4


def test_a_first_round_grows_with_the_account_and_not_faster() -> None:
    small, large = (min(first_ms(count) for _ in range(2)) for count in (SMALL, LARGE))
    assert large < 3 * small * LARGE / SMALL


def test_points_cost_no_more_than_reading_their_json() -> None:
    """Columns out of a parsed answer, folded into the World, against `json.loads` of the same bytes."""
    queries = our_queries(SERIES)[:SERIES]
    body = answer(SERIES, MINUTES).partition(b"\r\n\r\n")[2]
    results = json.loads(body)["MetricDataResults"]
    end = int(results[0]["Timestamps"][-1]) + 60
    span = Span(end - 60 * MINUTES, end)
    api = cast("Api", SimpleNamespace(rest=lambda: asyncio.sleep(0)))

    async def keep() -> None:
        answered = [(query, Answered()) for query in queries]
        for (_, one), result in zip(answered, results, strict=True):
            one.add(result, span)
        data = await usable(api, answered, lambda series: False)
        event = ev.MetricsObserved(SCOPE, float(end), span.start, span.end, data)
        kept = fold_all(EMPTY_WORLD, (event,)).series
        assert sum(len(series.times) for told in kept.values() for series in told.series.values())

    assert least(lambda: asyncio.run(keep())) < 2.5 * least(lambda: json.loads(body))
