"""What the account burns, what it comes to, how it compares, and the exact figure beside the estimate."""

from __future__ import annotations

from fakes.burnscene import EXACT, burn, ran, snap
from fakes.worlds import NOW, PROMPT, SCOPE, function
from msgspec.structs import replace

from lambdatop.domain.cost.burn import BurnHistory, hour_ahead, projected, times_of
from lambdatop.domain.log_analysis.figures import LogFigures, exact_burn
from lambdatop.domain.settings.settings import BurnSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.world import EMPTY_WORLD


def test_the_total_counts_functions_whose_metrics_have_come() -> None:
    world = fold(ran(function()), ev.FunctionsListed(SCOPE, NOW, (function(), function("thumbnailer"))))
    total = snap(world).burn
    assert (total.counted, total.functions) == (1, 2)
    assert total.usd_per_hour == burn(world).total
    assert total.projected_usd == EXACT(24 * burn(world).total)
    assert total.until == NOW + 86_400
    nothing = snap(fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, NOW, (function(),)))).burn
    assert (nothing.usd_per_hour, nothing.projected_usd, nothing.wasted_usd_per_hour) == (None, None, None)


def test_projection_until_a_chosen_hour() -> None:
    # NOW is 08:00:00 UTC.
    assert hour_ahead("18:00", NOW) == NOW + 10 * 3600
    assert hour_ahead("08:00", NOW) == NOW + 86_400  # that moment is over: tomorrow's
    assert hour_ahead("07:30", NOW) == NOW + 23.5 * 3600
    assert projected(2.0, NOW, NOW + 5400) == 3.0
    assert projected(2.0, NOW, NOW - 1) == 0.0
    world = ran(function())
    chosen = snap(world, replace(PROMPT, burn=BurnSettings("18:00"))).burn
    assert chosen.projected_usd == EXACT(10 * burn(world).total)


def hours(*seen: tuple[float, float]) -> ev.BurnHistoryObserved:
    """Return durations of hours (ms), each by how long ago it began (s)."""
    return ev.BurnHistoryObserved(SCOPE, NOW, tuple((int(NOW - ago), ms, 1.0) for ago, ms in seen))


def test_running_time_against_yesterday_and_a_week_ago() -> None:
    world = ran(function())  # one runs at once
    total = snap(fold(world, hours((86_400, 1_200_000.0), (7 * 86_400, 7_200_000.0)))).burn
    assert total.vs_yesterday == EXACT(3.0)  # 1,200 s in an hour is a third
    assert total.vs_week == EXACT(0.5)
    unknown = snap(world).burn
    assert (unknown.vs_yesterday, unknown.vs_week) == (None, None)
    assert snap(fold(world, hours((86_400, 0.0)))).burn.vs_yesterday is None  # nothing ran: no ratio
    assert times_of(None, 1.0) is None


def test_an_older_answer_does_not_bring_older_hours_back() -> None:
    new = fold(EMPTY_WORLD, hours((86_400, 5.0)))
    late = replace(hours((86_400, 9.0)), at=NOW - 60)
    assert fold(new, late).burn_history[SCOPE].hours == new.burn_history[SCOPE].hours


def test_the_hour_that_holds_a_moment() -> None:
    known = BurnHistory(NOW, ((int(NOW) - 3600, 3_600_000.0, 9.0),))
    assert known.running(NOW - 1) == known.running(NOW - 3600) == 1.0
    assert known.running(NOW) is None


# -- exact -----------------------------------------------------------------------------------------


def test_the_exact_figure_stands_in_published_hours() -> None:
    figures = LogFigures(NOW - 600, NOW, True, 10, 0.0, 1, 0, 1000.0, 0, 0.0005, 0.003)
    found = exact_burn(figures)
    assert found is not None
    assert (found.usd_per_hour, found.over_s, found.complete) == (0.003, 600.0, True)
    fast = exact_burn(figures, 12.0)  # ten minutes of the clock are two published hours
    assert fast is not None
    assert fast.usd_per_hour == EXACT(0.00025)
    assert fast.over_s == 7200.0
    assert exact_burn(replace(figures, unbilled_reports=10)) is None
    some = exact_burn(replace(figures, unbilled_reports=1))
    assert some is not None
    assert not some.complete
