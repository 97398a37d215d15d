"""Burn in `snapshot --json` and savings in `plan --json`."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from fakes.logscene import run
from fakes.worlds import NOW, SCOPE, WORKER, function
from msgspec.structs import replace

from lambdatop.domain.cost.burn import AccountBurn, Burn
from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Call, Plan, Saving
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow
from lambdatop.report.json.snapshot import plan_json, snapshot_json

BURN = Burn(0.06, 0.001, 0.0, None, 0.5, 2, 0.2, 1.0, frozenset({"log_gb"}))
ACCOUNT = AccountBurn(
    0.561, 0.2, BURN, 1, 2, 5.61, NOW + 36_000, 3.1, None, prices=table_prices("eu-central-1")
)
ROW = FunctionRow(function(memory_mb=1024), burn_usd_per_hour=BURN.total, burn=BURN)


def test_a_function_by_parts() -> None:
    seen = replace(EMPTY_SNAPSHOT, functions=(ROW, FunctionRow(function("new"))), burn=ACCOUNT)
    document = json.loads(json.dumps(snapshot_json(seen), allow_nan=False))
    known, new = document["functions"]
    assert known["burn_usd_per_hour"] == pytest.approx(0.561)
    assert known["burn"] == {
        "duration": 0.06,
        "requests": 0.001,
        "ephemeral": 0.0,
        "provisioned": None,
        "logs": 0.5,
        "durable": 0.0,
        "exact": None,
        "exact_over_s": None,
        "exact_complete": None,
        "waste": 0.2,
        "log_writers": 2,
        "us_east_1_prices": ["log_gb"],
        "not_counted": [],
    }
    assert new["burn"] is None


def test_the_exact_figure_is_per_published_hour() -> None:
    lines = [x for n in range(6) for x in run(n, NOW - 300 + 50 * n, size_mb=1024)]
    tail = append_lines(LogTail("/aws/lambda/orders-worker", at=NOW), tuple(lines))
    seen = replace(EMPTY_SNAPSHOT, functions=(ROW,), burn=ACCOUNT, logs=MappingProxyType({WORKER: tail}))
    found = snapshot_json(seen)["functions"][0]
    assert found["burn"]["exact"] == pytest.approx(found["log"]["burn_usd_per_hour_exact"])
    assert found["burn"]["exact"] > 0
    assert found["burn"]["exact_over_s"] == 600
    # Twice as fast, five minutes of the clock are ten published ones; all six requests are in both.
    fast = snapshot_json(replace(seen, burn=replace(ACCOUNT, times=2.0)))["functions"][0]
    assert fast["burn"]["exact_over_s"] == 600
    assert fast["burn"]["exact"] == pytest.approx(found["burn"]["exact"])
    busier = snapshot_json(replace(seen, burn=replace(ACCOUNT, times=4.0)))["functions"][0]
    assert busier["burn"]["exact"] == pytest.approx(found["burn"]["exact"] / 2)
    dear = replace(ACCOUNT.prices, gb_second_x86=ACCOUNT.prices.gb_second_x86 * 10)
    mine = snapshot_json(replace(seen, burn=replace(ACCOUNT, prices=dear)))["functions"][0]
    assert mine["burn"]["exact"] > 8 * found["burn"]["exact"]


def test_the_account() -> None:
    document = snapshot_json(replace(EMPTY_SNAPSHOT, burn=ACCOUNT))["burn"]
    assert document == {
        "usd_per_hour": 0.561,
        "wasted_usd_per_hour": 0.2,
        "projected_usd": 5.61,
        "projected_until": "2027-01-15T18:00:00.000Z",
        "vs_yesterday": 3.1,
        "vs_week": None,
        "prices_as_of": "2026-11",
        "price_region": "eu-central-1",
        "prices_set_by": [],
        "us_east_1_prices": ["log_gb"],
        "functions_counted": 1,
        "functions": 2,
    }
    before = snapshot_json(EMPTY_SNAPSHOT)["burn"]
    assert (before["usd_per_hour"], before["projected_usd"], before["projected_until"]) == (None, None, None)


def test_a_plan_says_what_it_saves_or_that_it_does_not_know() -> None:
    call = Call("lambda", "PutFunctionConcurrency", {})
    plan = Plan(
        "p", "throttle_to_zero", Ref(WORKER, "arn", "orders-worker"), "t", "T2", call, {}, {}, None,
        WayBack(""), "", "", "", "key", (), (), NOW,
    )  # fmt: skip
    unknown = plan_json(plan)
    assert (unknown["saves_usd_per_hour"], unknown["saves"]) == (None, None)
    known = plan_json(replace(plan, saves=Saving(0.41, 0.15, "burn of orders-worker now")))
    assert known["saves_usd_per_hour"] == 0.41
    assert known["saves"] == {
        "usd_per_hour": 0.41,
        "wasted_usd_per_hour": 0.15,
        "at_most": False,
        "why": "burn of orders-worker now",
    }
    assert SCOPE.region in unknown["target"]["region"]
