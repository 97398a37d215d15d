"""Pane 3: what runs out next, how soon and by whom, and what is only assumed."""

from __future__ import annotations

import math

import pytest
from fakes.console_scene import snapshot
from fakes.fake_console import Clock, FakeConsole
from fakes.screens import press, settle, started, text

from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.settings.thresholds import DetectorSettings, QuotaHeadroomSettings
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.frame import Frame
from lambdatop.tui.panes.quotas import COLUMNS, about, source_of, until
from lambdatop.tui.style.spans import plain


def row(**changes: object) -> QuotaRow:
    given: dict[str, object] = {
        "name": "concurrent executions",
        "code": "L-B99A9384",
        "scope": "account",
        "used": 620.0,
        "limit": 1000.0,
        "unit": "environments",
        "source": "GetAccountSettings",
        "headroom": 380.0,
    }
    return QuotaRow(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("range_s", "words"),
    [
        ((720, 2400), "12\u201340m"),
        ((3000, 10_800), "50m\u20133h"),
        ((720, math.inf), ">12m"),
        ((600, 630), "10m"),
    ],
)
def test_a_range_fits_into_a_cell(range_s: tuple[float, float], words: str) -> None:
    assert until(range_s) == words


def test_the_line_about_a_row_says_who_takes_it_and_who_is_refused() -> None:
    words = plain(
        about(
            row(
                consumers=(("hog", 500.0), ("api", 100.0)),
                stack=(("reserved", 100.0), ("executing", 520.0)),
                exhausted_range_s=(720.0, 2400.0),
                confidence="medium",
                first_throttled="functions without a reservation",
            )
        )
    )
    assert words == (
        "environments: reserved 100 + executing 520  most: hog 500, api 100  "
        "full in 12\u201340m (medium confidence)  refused first: functions without a reservation  "
        "from GetAccountSettings"
    )
    assert "not growing" in plain(about(row(trend_per_min=0.0)))
    assert "not growing" not in plain(about(row())), "without a trend nothing is said of one"


def test_ages_are_held_against_the_collector_that_brings_them() -> None:
    assert source_of(row()) == "account"
    assert source_of(row(scope="queue")) == "queues"
    assert source_of(row(scope="function")) == "metrics"
    assert source_of(row(scope="function", fixed=True)) == "functions"


def test_colours_follow_the_thresholds_that_are_set() -> None:
    near = row(exhausted_range_s=(1000.0, 2000.0), confidence="high")
    limits = QuotaHeadroomSettings(warning_share=0.5, critical_left_s=1200.0)
    strict = Frame(settings=Settings(detectors=DetectorSettings(quota_headroom=limits)))
    cells = {column.id: column.cell for column in COLUMNS}
    for name, usual, by_settings in (("used", "", "warning"), ("full", "warning", "critical")):
        assert cells[name](near, Frame(), 20)[0].slot == usual
        assert cells[name](near, strict, 20)[0].slot == by_settings


async def test_the_pane_on_a_small_screen() -> None:
    app = LambdatopApp(FakeConsole(snapshot(), Clock()), Settings(), now=Clock(), arm_s=0.0)
    async with started(app, (80, 24)) as pilot:
        await press(pilot, "3")
        await settle(pilot)
        shown = text(app)
    lines = [line for line in shown.split("\n") if "concurrent executions" in line]
    assert "762 / 1,000" in lines[0]
    assert "19\u201336m" in lines[0]
    (assumed,) = [line for line in shown.split("\n") if "Lambda API rate" in line]
    assert "3.2 / ~15" in assumed
    assert "~ 3 assumed" in shown
