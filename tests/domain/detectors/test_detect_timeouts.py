from __future__ import annotations

import json
import random

from fakes.logscene import line, logs, rid, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import timeouts as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World


def world(*parts: LogLine | list[LogLine], complete: bool = True) -> World:
    return fold_all(
        EMPTY_WORLD,
        [ev.FunctionsListed(SCOPE, NOW, (function(),)), logs(*parts, complete=complete)],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def old_style(n: int, at: float, env: int = 0) -> list[LogLine]:
    return run(n, at, env, says=(f"2027-01-15T00:00:00.000Z {rid(n)} Task timed out after 10.00 seconds",))


def new_style(n: int, at: float, env: int = 0) -> list[LogLine]:
    return run(n, at, env, end="Status: timeout")


def both_styles(n: int, at: float, env: int = 0) -> list[LogLine]:
    said = f"2027-01-15T00:00:00.000Z {rid(n)} Task timed out after 10.00 seconds"
    return run(n, at, env, says=(said,), end="Status: timeout")


def as_json(n: int, at: float, env: int = 0, status: str = "timeout") -> list[LogLine]:
    def event(kind: str, **record: object) -> LogLine:
        shape = {"time": "2027-01-15T00:00:00.000Z", "type": f"platform.{kind}", "record": record}
        return line(at, json.dumps(shape), env)

    return [
        event("start", requestId=rid(n), version="$LATEST"),
        event("runtimeDone", requestId=rid(n), status=status),
        event("report", requestId=rid(n), status=status, metrics={"durationMs": 10000.0}),
    ]


def healthy(count: int, at: float) -> list[LogLine]:
    return [x for n in range(count) for x in run(1000 + n, at + n, 7)]


def test_timeouts_and_their_share_of_the_reports() -> None:
    late = [*old_style(1, NOW - 200), *new_style(2, NOW - 100), *both_styles(3, NOW - 50)]
    (finding,) = found(world(late, healthy(12, NOW - 250)))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert (evidence["timeouts"], evidence["reports"], evidence["timeouts_share"]) == (3, 15, 0.2)
    assert finding.title == "orders-worker timed out 3 times after 10 s, 20% of its runs"
    assert finding.formula == "3 timeouts >= 2; 3 / 15 reports in the log = 0.20 < 0.25 over 5 min"
    assert finding.since == NOW - 200 + 0.05
    assert finding.suggests == ("cap_concurrency",)


def test_a_quarter_of_the_runs_is_critical() -> None:
    late = [x for n in range(3) for x in new_style(n, NOW - 100 - n)]
    assert [f.severity for f in found(world(late, healthy(9, NOW - 250)))] == ["critical"]
    (bad,) = found(world(late, healthy(9, NOW - 250)))
    better = world(late, healthy(12, NOW - 250))
    assert [f.severity for f in found(better)] == ["warning"]
    assert [f.severity for f in found(better, (bad,))] == ["critical"]


def test_each_execution_counts_once_in_every_style() -> None:
    for style in (old_style, new_style, both_styles, as_json):
        (finding,) = found(world(style(1, NOW - 90), style(2, NOW - 60)))
        assert dict(finding.evidence)["timeouts"] == 2, style.__name__
        assert found(world(style(1, NOW - 90))) == [], style.__name__


def test_a_retry_is_another_execution() -> None:
    same_environment = [*both_styles(1, NOW - 200), *both_styles(1, NOW - 130), *both_styles(1, NOW - 10)]
    assert dict(found(world(same_environment))[0].evidence)["timeouts"] == 3
    other = [*as_json(1, NOW - 200), *as_json(1, NOW - 130, env=1)]
    assert dict(found(world(other))[0].evidence)["timeouts"] == 2


def test_what_is_no_timeout_of_an_execution() -> None:
    init = line(NOW - 20, "INIT_REPORT Init Duration: 9999.99 ms\tPhase: init\tStatus: timeout", 3)
    words = run(5, NOW - 30, says=("the request to the bank timed out",))
    assert found(world(init, init, words, run(6, NOW - 10, end="Status: error\tError Type: X"))) == []
    assert found(world(as_json(1, NOW - 9, status="success"), as_json(2, NOW - 8, status="error"))) == []


def test_old_lines_do_not_count_and_the_run_tells_since_when() -> None:
    assert found(world(new_style(1, NOW - 400), new_style(2, NOW - 310))) == []
    chain = [x for n in range(8) for x in new_style(n, NOW - 1 - 200 * n)]
    (finding,) = found(world(chain, new_style(90, NOW - 3000)))
    assert dict(finding.evidence)["timeouts"] == 2
    assert finding.since == NOW - 1 - 1400 + 0.1


def test_the_demos_log_carries_the_real_clock() -> None:
    fast = replace(PROMPT, metrics=MetricSettings(publish_delay_s=0.0, times=12.0))
    seen = world(new_style(1, NOW - 20), new_style(2, NOW - 10), new_style(3, NOW - 60))
    (finding,) = it.detect(evaluation_context(seen, NOW, fast))
    assert dict(finding.evidence)["timeouts"] == 2


def test_without_reports_the_share_is_unknown() -> None:
    texts = [f"2027-01-15T00:00:00.000Z {rid(n)} Task timed out after 10.00 seconds" for n in (1, 2)]
    (finding,) = found(world([line(NOW - 30 + i, text, i) for i, text in enumerate(texts)], complete=False))
    assert finding.severity == "warning"
    assert dict(finding.evidence)["timeouts_share"] is None
    assert dict(finding.evidence)["log"] == "incomplete: there may be more"


def test_no_log_is_silent() -> None:
    assert found(world()) == []
    assert found(EMPTY_WORLD) == []


def test_the_order_of_arrival_and_repeats_change_nothing() -> None:
    lines = [*both_styles(1, NOW - 200), *as_json(2, NOW - 100, env=1), *healthy(3, NOW - 150)]
    expected = found(world(lines))
    for seed in range(5):
        shuffled = [*lines, *lines[:4]]
        random.Random(seed).shuffle(shuffled)
        assert found(world(shuffled)) == expected
