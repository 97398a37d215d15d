from __future__ import annotations

from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import near_timeout as it
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

END = NOW - 60  # the timeout is 10 s


def world(
    longest: list[float],
    errors: float = 0.0,
    *more: ev.Event,
    runs: float = 20.0,
    p99: list[float] | None = None,
    end: float = END,
    facts: FunctionFacts | None = None,
) -> World:
    n = len(longest)
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (facts or function(),)),
            metrics(
                points(WORKER, "Duration", longest, "Maximum", end=end),
                points(WORKER, "Duration", longest if p99 is None else p99, "p99", end=end),
                points(WORKER, "Invocations", [runs] * n, end=end),
                points(WORKER, "Errors", [errors] * n, end=end),
            ),
            *more,
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_durations_that_climb_to_the_timeout() -> None:
    climb = [2000.0 + 300.0 * i for i in range(22)]  # 2.0 s -> 8.3 s
    (finding,) = found(world(climb))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert (evidence["duration_max_ms"], evidence["timeout_share"], evidence["p99_share"]) == (
        8300,
        0.83,
        0.83,
    )
    assert (evidence["p99_from_ms"], evidence["p99_to_ms"]) == (2300, 8000)
    assert evidence["p99_growth_ms_per_min"] == 300
    assert evidence["reaches_timeout_in_s"] == 420
    assert finding.title == (
        "orders-worker comes close to its timeout: it runs up to 8.3 s of 10 s, p99 reaches it in 7 min"
    )
    assert finding.formula == "8300 ms / 10000 ms = 0.83 >= 0.8 over 5 min"
    assert finding.since == END - 120  # 8.0 s and 8.3 s
    assert finding.suggests == ("cap_concurrency",)


def test_at_the_timeout_with_errors_it_is_timing_out() -> None:
    (finding,) = found(world([9900.0] * 8, errors=2.0))
    assert finding.severity == "critical"
    assert finding.title == "orders-worker is timing out: it runs up to 9.9 s of 10 s"
    assert finding.formula == "9900 ms / 10000 ms = 0.99 >= 0.98 with 10 errors > 0 over 5 min"
    assert [f.severity for f in found(world([9900.0] * 8))] == ["warning"]
    assert [f.severity for f in found(world([9700.0] * 8, errors=2.0))] == ["warning"]


def test_a_flat_duration_reaches_nothing() -> None:
    (finding,) = found(world([8500.0] * 20))
    assert dict(finding.evidence)["reaches_timeout_in_s"] is None
    (falling,) = found(world([9500.0 - 50 * i for i in range(20)]))
    assert dict(falling.evidence)["reaches_timeout_in_s"] is None
    (young,) = found(world([8500.0] * 3))
    assert dict(young.evidence)["p99_from_ms"] is None


def test_below_the_floors_it_is_silent() -> None:
    assert found(world([7990.0] * 10)) == []
    assert found(world([9000.0] * 5, runs=0.9)) == []
    assert len(found(world([9000.0] * 5, runs=1.0))) == 1


def test_an_initialisation_inside_the_invocation_is_no_timeout() -> None:
    # 13 s of a timeout of 10 s, and nothing failed: 3 s or more were initialisation.
    assert found(world([900.0, 900.0, 13_000.0, 900.0, 900.0])) == []
    (failed,) = found(world([13_000.0] * 5, errors=20.0))
    assert failed.severity == "critical"
    assert dict(failed.evidence)["duration_max_ms"] == 10_000
    # A run that is killed is reported a little above the timeout.
    assert len(found(world([10_040.0] * 5))) == 1


def test_managed_instances_are_left_out() -> None:
    assert found(world([9900.0] * 8, 2.0, facts=function(managed_instances=True))) == []


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    assert found(world([1000.0, 1000.0, 9900.0], end=NOW)) == []
    assert len(found(world([9900.0, 9900.0, 1000.0], end=NOW))) == 1
    slow = function(timeout_s=900)
    assert found(world([899_000.0] * 5, 1.0, facts=slow)) == []  # a quarter of an hour is not final
    assert len(found(world([899_000.0] * 20, 1.0, facts=slow))) == 1
    late = replace(PROMPT, metrics=MetricSettings(publish_delay_s=300.0))
    assert list(it.detect(evaluation_context(world([9000.0] * 4), NOW, late))) == []


def test_a_standing_finding_is_measured_against_less() -> None:
    assert found(world([6500.0] * 8)) == []
    (before,) = found(world([8100.0] * 8))
    assert len(found(world([6500.0] * 8), (before,))) == 1
    assert found(world([6300.0] * 8), (before,)) == []
    (bad,) = found(world([9900.0] * 8, errors=1.0))
    assert [f.severity for f in found(world([8000.0] * 8, errors=1.0), (bad,))] == ["critical"]


def test_missing_data_is_silent() -> None:
    assert found(world([])) == []
    assert found(world([9900.0] * 8, 1.0, metrics(points(WORKER, "Invocations", [], end=END)))) == []


def test_what_fits_is_suggested() -> None:
    fed = ev.MappingsListed(SCOPE, NOW, (mapping(),))
    assert found(world([9000.0] * 8, 0.0, fed))[0].suggests == ("cap_concurrency", "disable_trigger")
    before = world([9000.0] * 8, facts=function(code_sha256="a", last_modified=NOW - 7200))
    new = ev.FunctionsListed(SCOPE, NOW, (function(code_sha256="b", last_modified=NOW - 600),))
    assert found(fold_all(before, [new]))[0].suggests == ("rollback_alias", "cap_concurrency")
    old = ev.FunctionsListed(SCOPE, NOW, (function(code_sha256="b", last_modified=NOW - 4000),))
    assert found(fold_all(before, [old]))[0].suggests == ("cap_concurrency",)
