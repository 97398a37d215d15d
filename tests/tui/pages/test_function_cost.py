"""Burn in the console: the function's sheet, the title of the hot functions, the confirm dialog."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.shown_plans import plan_of
from fakes.worlds import NOW, function
from msgspec.structs import replace
from rich.cells import cell_len

from lambdatop.domain.cost.burn import AccountBurn, Burn
from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.log_analysis.figures import LogFigures, exact_burn
from lambdatop.domain.log_analysis.reader import Learned
from lambdatop.domain.plans.plan import Saving
from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.tui.pages.confirm import consequences
from lambdatop.tui.pages.function_cost import burn_section
from lambdatop.tui.panes.functions import title_words
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import plain
from lambdatop.tui.style.theme import TIMES

BURN = Burn(0.002, 0.0005, 0.0, 0.0001, 0.0003, 1, 0.0002, 0.5)
ACCOUNT = AccountBurn(
    12.4, 3.1, BURN, 3, 3, 124.0, NOW + 36_000, 3.14, None, prices=table_prices("eu-central-1")
)


def section(
    burn: Burn | None = BURN, account: AccountBurn = ACCOUNT, width: int = 100, **figures: Any
) -> str:
    row = FunctionRow(function(), burn=burn)
    known = LogFigures(NOW - 600, NOW, True, 10, 0.0, 1, 0, 1000.0, 0, 0.0005, 0.0031)
    known = replace(known, **figures)
    exact = exact_burn(known, account.times)
    learned = Learned(NOW, known, NOW, NOW, 1, 0, (), 0, 0, (), 0, 0, 0, 0, exact)
    return plain(burn_section(row, account, learned if figures else None, width))


def test_estimate_and_exact_figure_stand_side_by_side() -> None:
    assert "≈ $0.0029/h\n" in section()
    assert "≈ $0.0029/h, exact $0.0031/h over 10 min\n" in section(complete=True)
    assert "exact at least $0.0031/h over 10 min" in section(complete=False)
    assert "exact" not in section(requests=0)


def test_parts_and_what_is_not_known() -> None:
    lines = section()
    for part in (
        "duration $/h",
        "requests $/h",
        "extra /tmp $/h",
        "provisioned $/h",
        "logs $/h",
        "wasted $/h",
    ):
        assert part in lines
    assert "provisioned $/h       $0.0001" in lines
    assert "not read" in section(replace(BURN, provisioned=None))
    assert "no metrics yet" in section(None)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"managed_instances": True}, "not counted: the instances, which EC2 bills, with a fee"),
        ({"snap_start": True, "runtime": "python3.13"}, "not counted: SnapStart's snapshots and restores"),
        ({"snap_start": True, "runtime": "java21"}, ""),
        (
            {"durable": True, "per_tenant": True},
            "what its durable executions keep stored; environments by tenant",
        ),
        ({}, ""),
    ],
)
def test_what_is_billed_besides_is_said(facts: dict[str, Any], said: str) -> None:
    text = plain(burn_section(FunctionRow(function(**facts), burn=BURN), ACCOUNT, None, 120))
    assert said in text
    assert bool(said) == ("not counted" in text)


def test_prices_say_whose_they_are() -> None:
    assert "estimate at list price of eu-central-1, 2026-11" in section()
    assert "us-east-1 price" not in section()
    lent = section(replace(BURN, borrowed=frozenset({"log_gb", "request"})))
    assert "us-east-1 price for log gb, request" in lent
    mine = replace(ACCOUNT, prices=replace(ACCOUNT.prices, set_by=("Price List API", "configuration")))
    assert "with prices of Price List API and configuration" in section(account=mine)
    assert "log group shared by 3 functions" in section(replace(BURN, log_writers=3))


def test_the_account_ahead_and_against_yesterday() -> None:
    lines = " ".join(section().split())
    assert "account $12.40/h, wasted $3.10/h; until 01-15 18:00Z it costs $124.00" in lines
    assert f"duration 3.1 {TIMES} yesterday, {fmt.UNKNOWN} a week ago" in lines


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    row = FunctionRow(function(), burn=replace(BURN, log_writers=2, borrowed=frozenset({"log_gb"})))
    for line in plain(burn_section(row, ACCOUNT, None, width)).split("\n"):
        assert cell_len(line) <= width


def test_the_title_of_the_hot_functions() -> None:
    assert plain(title_words(ACCOUNT)) == "  ≈ $12.40/h, wasted $3.10"
    assert plain(title_words(replace(ACCOUNT, wasted_usd_per_hour=0.0))) == "  ≈ $12.40/h"
    assert plain(title_words(AccountBurn())) == ""


def test_a_plan_says_what_stopping_saves() -> None:
    plan = plan_of("throttle_to_zero")
    words = plain(consequences(plan, 100))
    assert "saves" not in words
    saved = plain(consequences(replace(plan, saves=Saving(0.41, 0.15, "burn of orders-worker now")), 100))
    assert "saves         ≈ $0.41/h (burn of orders-worker now), of it $0.15/h wasted" in saved
