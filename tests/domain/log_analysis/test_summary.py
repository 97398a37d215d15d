"""What a tail teaches at the moment of a snapshot."""

from __future__ import annotations

import pytest
from fakes.busy_log import AT, FACTS, tail
from fakes.logscene import line, run
from msgspec.structs import replace

from lambdatop.domain.cost.burn import NO_BURN
from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.log_analysis.figures import WINDOW_S
from lambdatop.domain.log_analysis.summary import LogSummary, log_summary
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail

REGION = FACTS.key.scope.region


def found(lines: list[LogLine], account: object = NO_BURN, **fields: object) -> LogSummary:
    summary = log_summary(tail(lines, **fields), FACTS, account)  # type: ignore[arg-type]
    assert summary is not None
    return summary


def test_a_log_that_was_not_read_teaches_nothing() -> None:
    assert log_summary(None, FACTS, NO_BURN) is None
    assert log_summary(LogTail(), FACTS, NO_BURN) is None
    empty = log_summary(LogTail(at=AT), FACTS, NO_BURN)
    assert empty is not None
    assert (empty.lines, empty.kinds, empty.exact) == (0, (), None)
    assert empty.figures.billed_usd_per_hour is None


def test_lines_and_errors_are_those_of_the_window() -> None:
    old = line(AT - WINDOW_S - 60, "[ERROR] Error: too long ago")
    summary = found([old, *run(1, AT - 60, says=("[ERROR] ValueError: x",))])
    assert summary.lines == 4
    assert [kind.sample for kind in summary.kinds] == ["[ERROR] ValueError: x"]


def test_a_stamp_ahead_of_our_clock_is_counted() -> None:
    assert found(run(1, AT + 2.0)).figures.until == pytest.approx(AT + 2.1)


def test_the_cost_is_by_the_prices_of_the_estimate_and_per_published_hour() -> None:
    lines = [x for n in range(6) for x in run(n, AT - 250 + 40 * n)]
    own = found(lines)
    assert own.exact is not None
    assert own.exact.usd_per_hour == own.figures.billed_usd_per_hour
    dear = replace(table_prices(REGION), request=1.0)
    assert found(lines, replace(NO_BURN, prices=dear)).figures.usd > 6.0
    elsewhere = replace(table_prices("us-east-1"), request=1.0)
    assert found(lines, replace(NO_BURN, prices=elsewhere)) == own, "another region's prices are not these"
    # Twice as fast, five minutes of the clock are ten published ones; all six requests are in both.
    fast = found(lines, replace(NO_BURN, times=2.0))
    assert fast.exact is not None
    assert fast.exact.over_s == own.exact.over_s == WINDOW_S
    assert fast.exact.usd_per_hour == pytest.approx(own.exact.usd_per_hour)
    assert fast.figures == own.figures
