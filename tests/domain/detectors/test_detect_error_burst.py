from __future__ import annotations

from fakes.logscene import logs, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import error_burst as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

# A function's minutes are final once they are 10 s old (its timeout), so the newest whole one is not yet.
END = NOW - 60


def world(invocations: list[float], errors: list[float], *more: ev.Event, end: float = END) -> World:
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            metrics(
                points(WORKER, "Invocations", invocations, end=end), points(WORKER, "Errors", errors, end=end)
            ),
            *more,
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


QUIET, BUSY = [1.0] * 30, [30.0] * 32


def test_a_jump_with_its_most_frequent_failure() -> None:
    lines = [x for n in range(3) for x in run(n, NOW - 150 + n, says=(f"[ERROR] KeyError: order {n}",))]
    odd = run(9, NOW - 100, says=("[ERROR] ValueError: bad",))
    (finding,) = found(world(BUSY, [*QUIET, 6.0, 8.0], logs(lines, odd)))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert (evidence["errors"], evidence["errors_per_min"], evidence["errors_before_per_min"]) == (
        14,
        7.0,
        1.0,
    )
    assert evidence["rise_ratio"] == 7.0
    assert (evidence["most_frequent_failure"], evidence["most_frequent_lines"]) == (
        "KeyError: order #",
        3,
    )
    assert finding.since == END - 120
    longer = world(BUSY, [*QUIET[:-1], 6.0, 7.0, 8.0])
    assert [f.since for f in found(longer)] == [END - 180]
    assert finding.title == "orders-worker: errors jumped from 1.0 to 7.0 per minute"
    assert finding.formula == "7.0 errors/min >= 5 x 1.0 errors/min in the 30 min before"
    assert finding.suggests == ("rollback_alias", "throttle_to_zero")


def test_a_trace_in_pieces_is_named_by_its_exception_and_known_failures_by_name() -> None:
    trace = ("Traceback (most recent call last):", '  File "/a.py", line 4, in f', "KeyError: 'id7'")
    lines = [x for n in range(3) for x in run(n, NOW - 150 + n, says=trace, end="Status: error")]
    evidence = dict(found(world(BUSY, [*QUIET, 6.0, 8.0], logs(lines)))[0].evidence)
    assert (evidence["most_frequent_failure"], evidence["most_frequent_lines"]) == ("KeyError: <str>", 3)
    assert evidence["most_frequent_signature"] is None
    full = [
        x for n in range(4, 9) for x in run(n, NOW - 150 + n, says=("[ERROR] OSError: ENOSPC pwd=hunter2x",))
    ]
    evidence = dict(found(world(BUSY, [*QUIET, 6.0, 8.0], logs(lines, full, full)))[0].evidence)
    assert (evidence["most_frequent_failure"], evidence["most_frequent_lines"]) == (
        "OSError: ENOSPC pwd=•••",
        5,
    )
    assert evidence["most_frequent_signature"] == "disk_full"


def test_from_nothing_to_ten() -> None:
    (finding,) = found(world(BUSY, [0.0] * 30 + [5.0, 5.0], ev.MappingsListed(SCOPE, NOW, (mapping(),))))
    evidence = dict(finding.evidence)
    assert (evidence["rise_ratio"], evidence["most_frequent_failure"]) == (None, None)
    assert finding.suggests == it.SUGGESTS


def test_too_few_errors_or_too_small_a_jump_is_silent() -> None:
    assert found(world(BUSY, [0.0] * 30 + [5.0, 4.0])) == []
    assert found(world([90.0] * 32, [4.0] * 30 + [19.0, 20.0])) == []


def test_a_standing_finding_stays_until_well_below() -> None:
    (stood,) = found(world(BUSY, [*QUIET, 10.0, 10.0]))
    assert found(world([60.0] * 32, [2.0] * 30 + [8.0, 9.0])) == []
    assert len(found(world([60.0] * 32, [2.0] * 30 + [8.0, 9.0]), (stood,))) == 1


def test_a_burst_does_not_become_usual_while_its_share_stays() -> None:
    (stood,) = found(world(BUSY, [*QUIET, 10.0, 10.0]))
    long = world([30.0] * 58, [*QUIET, *[10.0] * 28])
    assert found(long) == []
    (finding,) = found(long, (stood,))
    assert finding.formula == "10.0 errors/min >= 5 x 1.0 errors/min in the 30 min before"
    assert found(world([30.0] * 58, [*QUIET, *[10.0] * 26, 1.0, 1.0]), (stood,)) == []


def test_errors_that_grow_with_traffic_are_silent() -> None:
    assert found(world([10.0] * 30 + [100.0] * 2, [*QUIET, 10.0, 10.0])) == []


def test_a_steady_rate_is_error_rates() -> None:
    assert found(world(BUSY, [20.0] * 32)) == []


def test_a_fresh_function_has_no_baseline() -> None:
    assert found(world([30.0] * 6, [0.0] * 4 + [20.0] * 2)) == []
    assert len(found(world([30.0] * 7, [0.0] * 5 + [20.0] * 2))) == 1
    assert found(world([], [20.0, 20.0])) == []


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    assert found(world([30.0] * 33, [0.0] * 32 + [99.0], end=NOW)) == []
    cleared_since = world([30.0] * 33, [0.0] * 30 + [9.0, 9.0, 0.0], end=NOW)
    assert len(found(cleared_since)) == 1


def test_the_demos_log_is_read_on_the_clocks_time() -> None:
    lines = logs(run(1, NOW - 200, says=("[ERROR] Old: x",)), run(2, NOW - 20, says=("[ERROR] New: x",)))
    settings = replace(PROMPT, metrics=MetricSettings(publish_delay_s=0.0, times=12.0))
    # Final until 120 s ago (timeout x 12); the window began 240 published = 20 real seconds ago.
    seen = world([30.0] * 32, [0.0] * 30 + [9.0, 9.0], lines, end=NOW - 120)
    (finding,) = it.detect(evaluation_context(seen, NOW, settings))
    assert dict(finding.evidence)["most_frequent_failure"] == "New: x"
