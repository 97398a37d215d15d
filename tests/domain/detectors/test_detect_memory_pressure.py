from __future__ import annotations

import pytest
from fakes.logscene import line, logs, rid, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping

from lambdatop.domain.detectors.rules import memory_pressure as it
from lambdatop.domain.detectors.rules import resource_limit
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

OOM = "Status: error\tError Type: Runtime.OutOfMemory"


def uses(*used_mb: int) -> list[LogLine]:
    return [x for n, mb in enumerate(used_mb) for x in run(n, NOW - 100 + n, used_mb=mb, size_mb=100)]


def world(*batches: ev.Event, runtime: str = "python3.12") -> World:
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (function(runtime=runtime),)), *batches])


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_nine_of_ten_reports_near_the_size() -> None:
    (finding,) = found(world(logs(uses(50, *[91] * 8, 93))))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert (evidence["memory_p90_share"], evidence["max_memory_used_mb"], evidence["reports"]) == (
        0.91,
        93,
        10,
    )
    assert finding.title == "orders-worker uses 91% of its 100 MB"
    assert finding.formula == "p90 of 10 reports = 91% >= 90% over 15 min"
    assert finding.since == NOW - 99 + 0.1  # the first report that was tight
    assert finding.suggests == ("rollback_alias", "throttle_to_zero")


@pytest.mark.parametrize("used", [(95, 95, 95, 95), (50,) * 9 + (99,), (89,) * 10])
def test_few_reports_one_big_request_or_less_is_silent(used: tuple[int, ...]) -> None:
    assert found(world(logs(uses(*used)))) == []


def test_a_standing_finding_stays_until_well_below() -> None:
    (stood,) = found(world(logs(uses(*[95] * 10))))
    seen = world(logs(uses(*[80] * 10)))
    assert found(seen) == []
    assert [f.severity for f in found(seen, (stood,))] == ["warning"]
    assert found(world(logs(uses(*[70] * 10))), (stood,)) == []


@pytest.mark.parametrize("runtime", ["java21", "nodejs22.x"])
def test_runtimes_that_fill_their_memory_are_information_until_one_runs_out(runtime: str) -> None:
    assert [f.severity for f in found(world(logs(uses(*[99] * 10)), runtime=runtime))] == ["info"]
    killed = logs(uses(*[99] * 10), run(50, NOW - 10, used_mb=100, size_mb=100, end=OOM))
    assert [f.severity for f in found(world(killed, runtime=runtime))] == ["critical"]


def test_one_that_ran_out_of_memory_is_enough() -> None:
    dead = run(7, NOW - 50, used_mb=100, size_mb=100, end=OOM, says=("java.lang.OutOfMemoryError: heap",))
    (finding,) = found(world(logs(dead), ev.MappingsListed(SCOPE, NOW, (mapping(),))))
    assert finding.severity == "critical"
    assert finding.title == "orders-worker ran out of memory once (100 MB)"
    assert dict(finding.evidence)["out_of_memory"] == 1  # one execution, two lines
    assert finding.suggests == it.SUGGESTS
    assert finding.since == NOW - 50 + 0.05


def sized(n: int, at: float, size_mb: int, *, dead: bool = False) -> list[LogLine]:
    used, end = (size_mb, OOM) if dead else (60, "")
    return run(n, at, used_mb=used, size_mb=size_mb, end=end)


def raised(*lines: list[LogLine], modified: float = NOW - 9000) -> World:
    facts = function(memory_mb=512, last_modified=modified)
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (facts,)), logs(*lines)])


def limits(seen: World) -> list[Finding]:
    return list(resource_limit.detect(evaluation_context(seen, NOW, PROMPT)))


def test_what_ran_out_of_memory_before_more_was_given_is_past() -> None:
    dead = [x for n in range(6) for x in sized(n, NOW - 300 + n, 128, dead=True)]
    well = sized(50, NOW - 100, 512)
    assert found(raised(dead, well, modified=NOW - 200)) == []
    many = [x for n in range(10) for x in sized(50 + n, NOW - 100 + n, 512)]
    assert found(raised(dead, many)) == []
    assert limits(raised(dead, many)) == []


def test_the_size_is_that_of_the_run_that_died() -> None:
    dead = [x for n in range(6) for x in sized(n, NOW - 300 + n, 128, dead=True)]
    for after in ([], sized(50, NOW - 100, 512)):
        (finding,) = found(raised(dead, after))
        assert finding.title == "orders-worker ran out of memory 6 times (128 MB)"
        (limit,) = limits(raised(dead, after))
        assert limit.title == "orders-worker: out of memory (memory 128 MB) in 6 executions"


def test_two_versions_of_different_sizes_are_both_of_now() -> None:
    both = [x for n in range(20) for x in sized(n, NOW - 100 + n, 512 if n % 2 else 128, dead=not n % 2)]
    (finding,) = found(raised(both, modified=NOW - 300))
    assert finding.title == "orders-worker ran out of memory 10 times (128 MB)"


def test_reports_that_the_code_prints_itself_are_only_suspicious() -> None:
    forged = f"REPORT RequestId: {rid(7)}\tMemory Size: 100 MB\tMax Memory Used: 100 MB\t{OOM}"
    seen = world(logs(run(7, NOW - 50), *(line(NOW - 49 + n / 10, forged) for n in range(3))))
    (finding,) = found(seen)
    assert finding.severity == "warning"
    assert finding.title == "orders-worker: suspicious REPORT lines say that it ran out of memory"
    assert dict(finding.evidence)["suspicious_reports"] == 3
    assert finding.suggests == ()


def test_a_retry_of_the_same_event_is_not_suspicious() -> None:
    dead = [x for n in range(3) for x in run(7, NOW - 50 + n, used_mb=100, size_mb=100, end=OOM)]
    (finding,) = found(world(logs(dead)))
    assert finding.severity == "critical"


def test_what_lies_before_the_window_or_nowhere_is_silent() -> None:
    assert found(world(logs(run(7, NOW - 901, end=OOM)))) == []
    assert found(world()) == []


def test_five_reports_at_the_threshold_are_enough() -> None:
    (finding,) = found(world(logs(uses(*[90] * 5))))
    assert finding.formula == "p90 of 5 reports = 90% >= 90% over 15 min"


def test_a_report_without_memory_counts_for_nothing() -> None:
    bare = [
        line(NOW - 100 + n, f"REPORT RequestId: {rid(n)}\tDuration: 5 ms\t{field}")
        for n, field in enumerate(["Memory Size: 100 MB", "Max Memory Used: 99 MB", "Memory Size: 0 MB"] * 3)
    ]
    assert found(world(logs(bare))) == []


ELSEWHERE = f"[ERROR]\t2027-01-15T08:15:42.318Z\t{rid(7)}\tECS task stopped: OutOfMemoryError"
CHILD = '{"level":"error","msg":"ffmpeg failed","error":"signal: killed"}'


@pytest.mark.parametrize(
    ("said", "used_mb", "counts"),
    [
        # Who quotes another process is believed where its own memory was nearly used up.
        (ELSEWHERE, 9, False),
        (ELSEWHERE, 90, True),
        (CHILD, 40, False),
        (CHILD, 98, False),  # at its deadline, as far as anybody knows
        (CHILD, 99, True),
        ("ECS task stopped: OutOfMemoryError", 9, False),
        # One allocation that is too large leaves no trace in what was used.
        ("[ERROR] MemoryError: \nTraceback (most recent call last):", 9, True),
        (f"{ELSEWHERE[:63]}failed\nTraceback (most recent call last):\nMemoryError", 9, True),
        ("java.lang.OutOfMemoryError: Java heap space\n    at a.B.c(B.java:1)", 60, True),
        (r'{"level":"ERROR","message":"x\njava.lang.OutOfMemoryError: heap\n\tat a.B.c(B.java)"}', 60, True),
        (r'{"level":"ERROR","message":"peer restarted after java.lang.OutOfMemoryError"}', 60, False),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", 60, True),
        ("memory allocation of 8589934592 bytes failed", 9, True),
    ],
)
def test_a_line_of_memory_counts_with_its_report_or_as_the_runtime_writes_it(
    said: str, used_mb: int, *, counts: bool
) -> None:
    seen = world(logs(run(7, NOW - 50, used_mb=used_mb, size_mb=100, says=(said,))))
    assert [f.severity for f in found(seen)] == (["critical"] if counts else [])


def test_a_line_of_memory_counts_while_its_report_is_not_there() -> None:
    begun = run(7, NOW - 50, says=(ELSEWHERE,))[:2]
    assert [f.severity for f in found(world(logs(begun)))] == ["critical"]
