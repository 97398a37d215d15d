from __future__ import annotations

import pytest
from fakes.logscene import init, logs, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import proactive_init as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

REFUSED = "[ERROR] ConnectionRefusedError: the exclusive connection is held by another session"


def serving(*, fails: bool = False) -> list[LogLine]:
    """Return lines of environment 0, which serves since its initialization, 12 minutes ago."""
    lines = [init(NOW - 720.5)]
    for n in range(5):
        lines += run(
            n, NOW - 720 + 100 * n, init_ms=400.0 if n == 0 else None, says=(REFUSED,) if fails else ()
        )
    return lines


def world(*batches: ev.Event, reserved: int | None = 1) -> World:
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, reserved),)),
            *batches,
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = (), now: float = NOW) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, now, PROMPT, previous)))


def test_an_idle_environment_breaks_an_exclusive_connection() -> None:
    (finding,) = found(world(logs(serving(fails=True), init(NOW - 300, env=1))))
    evidence = dict(finding.evidence)
    assert finding.severity == "warning"
    assert (evidence["environments"], evidence["unused_inits"], evidence["proactive_inits"]) == (2, 1, 1)
    assert (evidence["connection_failures"], evidence["failures_in_log"]) == (5, 5)
    # Ready 0.4 s after INIT_START, like the other environment; nothing since.
    assert evidence["longest_gap_s"] == 299.6
    assert evidence["streams"] == "00000001"
    assert evidence["violation"] == "no"
    assert evidence["sample"] == REFUSED
    assert finding.since == NOW - 300
    assert (
        finding.title
        == "orders-worker fails at reserved 1: an idle environment (1 of 2) holds its connection"
    )
    assert finding.suggests == ("rollback_alias", "throttle_to_zero")


def test_the_errors_metric_is_enough_to_say_that_it_may() -> None:
    failing = metrics(
        points(WORKER, "Errors", [3.0] * 5), points(WORKER, "ConcurrentExecutions", [1.0], "Maximum")
    )
    fed = ev.MappingsListed(SCOPE, NOW, (mapping(),))
    (finding,) = found(world(logs(serving(), init(NOW - 300, env=1)), failing, fed))
    assert finding.severity == "warning"
    assert "may hold its connection" in finding.title
    assert dict(finding.evidence)["errors"] == 12  # the newest minute is not final
    assert finding.suggests == it.SUGGESTS


@pytest.mark.parametrize(("reserved", "severity"), [(1, "info"), (5, "info"), (10, "info")])
def test_without_failures_it_is_said_to_be_normal(reserved: int, severity: str) -> None:
    (finding,) = found(world(logs(serving(), init(NOW - 300, env=1)), reserved=reserved))
    assert finding.severity == severity
    assert finding.title == "orders-worker: 1 of 2 environments initialised without serving (normal)"


@pytest.mark.parametrize("reserved", [None, 0, 11, 100])
def test_without_small_reserved_concurrency_there_is_nothing_to_say(reserved: int | None) -> None:
    assert found(world(logs(serving(fails=True), init(NOW - 300, env=1)), reserved=reserved)) == []


def test_failures_at_a_higher_reservation_stay_information() -> None:
    (finding,) = found(world(logs(serving(fails=True), init(NOW - 300, env=1)), reserved=2))
    assert finding.severity == "info"


def test_a_cold_start_on_the_request_path_is_none() -> None:
    assert (
        found(world(logs(serving(fails=True), init(NOW - 60, 1), run(50, NOW - 59, 1, init_ms=900.0)))) == []
    )


def test_an_environment_that_serves_much_later_was_proactive() -> None:
    late = [init(NOW - 300, 1), *run(50, NOW - 200, 1, init_ms=400.0)]
    (finding,) = found(world(logs(serving(), late)))
    evidence = dict(finding.evidence)
    assert (evidence["unused_inits"], evidence["proactive_inits"], evidence["longest_gap_s"]) == (0, 1, 99.6)


def test_one_that_may_still_be_about_to_serve_is_waited_for() -> None:
    # Initialises for 0.4 s, then has 10 s to serve.
    assert found(world(logs(serving(fails=True), init(NOW - 10, env=1)))) == []
    assert len(found(world(logs(serving(fails=True), init(NOW - 11, env=1))))) == 1
    # Where no line says how long it takes, ten seconds are allowed for it.
    assert found(world(logs(init(NOW - 19, env=1)))) == []
    assert len(found(world(logs(init(NOW - 21, env=1))))) == 1


def test_time_does_not_pass_for_a_log_that_is_not_read_any_more() -> None:
    seen = world(logs(serving(fails=True), init(NOW - 5, env=1)))
    assert found(seen, now=NOW + 60) == []


def test_missing_lines_raise_nothing_but_do_not_clear() -> None:
    lines = (serving(fails=True), init(NOW - 300, env=1))
    (stood,) = found(world(logs(*lines)))
    incomplete = world(logs(*lines, complete=False))
    assert found(incomplete) == []
    assert [f.severity for f in found(incomplete, (stood,))] == ["warning"]


def test_an_old_initialisation_clears_later_than_it_raises() -> None:
    lines = (serving(fails=True), run(60, NOW + 1500, says=(REFUSED,)), init(NOW - 300, env=1))
    (stood,) = found(world(logs(*lines)))
    seen = world(logs(*lines, at=NOW + 1600))
    assert found(seen, now=NOW + 1600) == []
    assert len(found(seen, (stood,), now=NOW + 1600)) == 1
    assert found(seen, (stood,), now=NOW + 3400) == []


def test_concurrency_above_the_reservation_is_a_real_violation() -> None:
    peak = metrics(points(WORKER, "ConcurrentExecutions", [2.0, 1.0], "Maximum"))
    (finding,) = found(world(logs(serving(), init(NOW - 300, env=1)), peak))
    assert dict(finding.evidence)["violation"] == "yes"
    full = metrics(points(WORKER, "ConcurrentExecutions", [1.0, 1.0], "Maximum"))
    (finding,) = found(world(logs(serving(), init(NOW - 300, env=1)), full))
    assert dict(finding.evidence)["violation"] == "no"


def test_without_a_tail_it_is_silent() -> None:
    assert found(world()) == []
    assert found(replace(world(), reserved={})) == []
