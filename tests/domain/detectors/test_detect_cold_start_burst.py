from __future__ import annotations

import pytest
from fakes.logscene import init, line, logs, rid, run, stream
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import cold_start_burst as it
from lambdatop.domain.facts.function import Change
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

STEADY = [part for n in range(40) for part in run(900 + n, NOW - 599 + 7 * n)]
"""40 warm requests in the window before and the time up to it."""


def burst(cold: int, warm: int) -> list[LogLine]:
    """Return `cold` requests right after the initialization of their own environments, and `warm` ones."""
    lines: list[LogLine] = []
    for n in range(cold):
        at = NOW - 200 + n
        lines += [init(at - 0.4, env=n + 1), *run(n, at, env=n + 1, init_ms=390.0)]
    for n in range(cold, cold + warm):
        lines += run(n, NOW - 200 + n)
    return lines


def world(*batches: ev.Event, last_modified: float | None = NOW - 7200) -> World:
    facts = function(last_modified=last_modified)
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (facts,)), *batches])


def found(seen: World, previous: tuple[Finding, ...] = (), times: float = 1.0) -> list[Finding]:
    settings = replace(PROMPT, metrics=replace(PROMPT.metrics, times=times))
    return list(it.detect(evaluation_context(seen, NOW, settings, previous)))


def test_requests_that_wait_for_environments_are_a_burst() -> None:
    (finding,) = found(world(logs(STEADY, burst(6, 18))))
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    evidence = dict(finding.evidence)
    assert (evidence["cold_starts"], evidence["reports"], evidence["cold_share"]) == (6, 24, 0.25)
    assert (evidence["init_max_ms"], evidence["environments"]) == (390.0, 7)
    assert finding.since == NOW - 200 + 0.1
    assert finding.title == "orders-worker starts cold in 25% of requests, up to 390 ms"
    assert finding.formula == "6 cold / 24 reports = 25% >= 20% over 5 min"
    assert finding.suggests == ("cap_concurrency",)


@pytest.mark.parametrize(("cold", "warm"), [(5, 14), (4, 18)])
def test_too_few_reports_or_too_small_a_share_is_silent(cold: int, warm: int) -> None:
    assert found(world(logs(STEADY, burst(cold, warm)))) == []


def test_a_standing_finding_stays_until_well_below() -> None:
    seen = world(logs(STEADY, burst(4, 20)))  # 17 %: below 20 %, above 16 %
    assert found(seen) == []
    (stood,) = found(world(logs(STEADY, burst(6, 18))))
    assert [f.severity for f in found(seen, (stood,))] == ["warning"]


def test_environments_of_tenants_explain_it() -> None:
    seen = world(logs(STEADY, burst(6, 18)))
    isolated = replace(seen, functions={k: replace(f, per_tenant=True) for k, f in seen.functions.items()})
    (finding,) = found(isolated)
    assert (finding.severity, dict(finding.evidence)["explained_by"]) == ("info", "environments by tenant")


def test_a_deployment_explains_it() -> None:
    (finding,) = found(world(logs(STEADY, burst(6, 18)), last_modified=NOW - 300))
    assert finding.severity == "info"
    assert dict(finding.evidence)["explained_by"] == "deployment"
    assert finding.suggests == ("rollback_alias",)
    seen = world(logs(STEADY, burst(6, 18)))
    changed = replace(seen, changes={WORKER: (Change(NOW - 250, ("code",)),)})
    assert [f.severity for f in found(changed)] == ["info"]


def test_more_traffic_explains_it_by_the_log_or_by_the_metric() -> None:
    quiet = [line(NOW - 700, "a line of an idle night")]
    (by_log,) = found(world(logs(quiet, burst(6, 18))))
    assert (by_log.severity, dict(by_log.evidence)["explained_by"]) == ("info", "more traffic")
    ramp = metrics(points(WORKER, "Invocations", [10.0] * 20 + [20.0] * 5))
    (by_metric,) = found(world(logs(burst(6, 18)), ramp))
    assert by_metric.severity == "info"
    level = metrics(points(WORKER, "Invocations", [10.0] * 30))
    assert [f.severity for f in found(world(logs(burst(6, 18)), level))] == ["warning"]
    assert [f.severity for f in found(world(logs(burst(6, 18))))] == ["warning"]


def test_traffic_that_has_just_begun_to_grow_explains_it() -> None:
    """Of the last two minutes, before the window as a whole has grown by half."""
    level = [part for n in range(25) for part in run(900 + n, NOW - 610 + 12 * n)]
    newest = [
        part
        for n in range(18)
        for part in (
            init(NOW - 100 + n, env=n + 1),
            *run(n, NOW - 99.6 + n, env=n + 1, init_ms=390.0),
        )
    ]
    before = [part for n in range(14) for part in run(300 + n, NOW - 290 + 12 * n)]
    (finding,) = found(world(logs(level, before, newest)))
    assert (finding.severity, dict(finding.evidence)["explained_by"]) == ("info", "more traffic")


def test_traffic_that_grows_for_half_an_hour_explains_it() -> None:
    morning = metrics(
        points(WORKER, "Invocations", [10.0] * 30 + [11.0, 12.0, 13.0, 14.0, 15.0, *[16.0] * 6])
    )
    (finding,) = found(world(logs(STEADY, burst(6, 18)), morning))
    assert finding.severity == "info"


def test_environments_made_ready_long_before_keep_nobody_waiting() -> None:
    lines: list[LogLine] = []
    for n in range(10):
        at = NOW - 200 + n
        lines += [init(at - 60, env=n + 1), *run(n, at, env=n + 1, init_ms=390.0)]
        lines += run(100 + n, at + 1, env=n + 1)
    assert found(world(logs(STEADY, lines))) == []


def test_a_snapshot_that_is_restored_counts_too() -> None:
    lines: list[LogLine] = []
    for n in range(20):
        text = f"REPORT RequestId: {rid(n)}\tDuration: 5 ms\tMemory Size: 128 MB\tRestore Duration: 300 ms"
        lines.append(line(NOW - 100 + n, text, env=n))
    (finding,) = found(world(logs(STEADY, lines)))
    assert dict(finding.evidence)["cold_starts"] == 20
    assert dict(finding.evidence)["init_max_ms"] == 300
    assert len({stream(n) for n in range(20)}) == 20


def test_log_windows_shrink_with_the_demos_time() -> None:
    assert found(world(logs(STEADY, burst(6, 18))), times=12.0) == []


def test_without_a_tail_or_a_function_it_is_silent() -> None:
    assert found(world()) == []
    assert found(fold_all(EMPTY_WORLD, [logs(burst(9, 20))])) == []
