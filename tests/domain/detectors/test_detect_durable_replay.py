from __future__ import annotations

import pytest
from fakes.queuescene import found
from fakes.worlds import NOW, SCOPE, WORKER, function, metrics, points

from lambdatop.domain.detectors.rules.durable_replay import detect
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

END = NOW - 60


def world(
    errors: float,
    runs: float = 13.0,
    failed: float | None = 0.0,
    timed_out: float = 0.0,
    durable: bool = True,
) -> World:
    series = {"Invocations": runs, "Errors": errors, "DurableExecutionTimedOut": timed_out}
    series |= {} if failed is None else {"DurableExecutionFailed": failed}
    facts = function(durable=durable, durable_timeout_s=604_800)
    data = [points(WORKER, name, [value] * 15, "Sum", END) for name, value in series.items()]
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (facts,)), metrics(*data)])


def test_replays_that_fail_while_no_execution_ends() -> None:
    (finding,) = found(detect, world(12.0, timed_out=0.1))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.since) == ("critical", WORKER, END - 15 * 60)
    assert finding.title == (
        "orders-worker replays what fails: 120 of 130 invocations failed, 1 execution ended so"
    )
    assert evidence["then"] == "replayed until it succeeds, fails, or 7 d is over, then dropped"
    assert (evidence["executions_started"], evidence["execution_timeout_s"]) == (0, 604_800)
    assert finding.formula == (
        "120 errors / 130 invocations = 92% >= 50%, 1 executions failed or timed out, over 10 min"
    )
    (finding,) = found(detect, world(8.0))
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "quiet",
    [
        world(12.0, durable=False),
        world(12.0, failed=None),  # nobody asked: not known
        world(6.0),  # retries of a step that succeed later
        world(12.0, failed=2.0),  # they end
        world(12.0, timed_out=2.0),
        world(1.0, runs=1.0),  # too few
        world(12.0, runs=0.0),  # invocations that CloudWatch has not counted yet: no share is known
    ],
)
def test_what_is_no_replay_without_end(quiet: World) -> None:
    assert found(detect, quiet) == []
