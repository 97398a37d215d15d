"""API spend by operation: `$`."""

from __future__ import annotations

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.log_pane import MakeApp
from fakes.screens import press, started, text
from msgspec.structs import replace

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.state.world import Spend
from lambdatop.tui.screens.spend import SpendScreen, polling_lines, spend_lines
from lambdatop.tui.style.spans import plain

SPENT = Spend(
    (("cloudwatch.GetMetricData", 31), ("lambda.ListFunctions", 200), ("logs.LiveTailMinute", 2)),
    0.0347,
    0.41,
    0.5,
    (("cloudwatch.GetMetricData", 0.0147), ("logs.LiveTailMinute", 0.02)),
)
PLAN = PollingStatus(
    "wrong", 60, 900, 60, None, 60, 66, 66, 900, 6.5, 0.37, 80_000, "errors moved", "rows wait", ""
)


def test_the_dearest_stands_first_and_the_sum_last() -> None:
    rows = plain(spend_lines(SPENT)).split("\n")
    assert [row.split()[0] for row in rows[1:5]] == [
        "logs.LiveTailMinute",
        "cloudwatch.GetMetricData",
        "lambda.ListFunctions",
        "all",
    ]
    assert rows[3].split()[1:] == ["200", "free"]
    assert rows[4].split()[1:] == ["233", "$0.0347"]
    assert rows[5] == "this hour $0.41/h of a budget of $0.5"


def test_the_plan_is_told_in_sentences() -> None:
    words = plain(polling_lines(PLAN))
    assert "The whole budget: errors moved. Planned $0.37/h, 6.5 requests a minute." in words
    assert "discovered within 15m" in words
    assert words.endswith("rows wait\n")
    assert "no budget" in plain(polling_lines(replace(PLAN, spending="unlimited")))


def test_no_plan_yet_is_not_called_no_budget() -> None:
    assert (
        plain(polling_lines(None)) == "How often metrics are asked for is not known yet: none have been read."
    )


async def test_dollar_opens_it_and_escape_closes_it(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = replace(scene.snapshot(), spend=SPENT, polling=PLAN)
    app = make_app()
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "dollar_sign")
        assert isinstance(app.screen, SpendScreen)
        assert "logs.LiveTailMinute" in text(app)
        assert "API spend" in text(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, SpendScreen)
