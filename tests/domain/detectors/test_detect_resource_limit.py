from __future__ import annotations

import pytest
from fakes.logscene import line, logs, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function

from lambdatop.domain.detectors.rules import resource_limit as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

FULL = "[ERROR] OSError: [Errno 28] No space left on device: '/tmp/a'\nTraceback (most recent call last):"
FILES = "[ERROR] OSError: [Errno 24] Too many open files: '/tmp/b'"


def fine(count: int) -> list[LogLine]:
    return [x for n in range(count) for x in run(100 + n, NOW - 500 + n)]


def world(*batches: ev.Event, **facts: object) -> World:
    return fold_all(
        EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (function("orders-worker", **facts),)), *batches]
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_each_limit_with_its_count_value_and_a_sample() -> None:
    seen = world(
        logs(
            fine(17),
            run(1, NOW - 60, says=(FULL,)),
            run(2, NOW - 50, says=(FULL, FULL)),
            run(3, NOW - 40, says=(FILES,)),
        ),
        ephemeral_mb=1024,
    )
    (finding,) = found(seen)
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", WORKER)
    assert (evidence["disk_full"], evidence["too_many_files"], evidence["executions_hit"]) == (2, 1, 3)
    assert (evidence["executions"], evidence["hit_share"]) == (20, 0.15)
    assert evidence["disk_full_limit"] == "/tmp 1024 MB"
    assert evidence["too_many_files_limit"] == "1,024 file descriptors"
    assert evidence["disk_full_sample"] == FULL.split("\n")[0]
    assert finding.title == (
        "orders-worker: its /tmp is full (/tmp 1024 MB) in 2 executions, and one more limit"
    )
    assert finding.formula == "3 of 20 executions hit a limit over 15 min = 15% (critical from 25%)"
    assert finding.since == NOW - 60 + 0.05


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (FULL, "disk_full"),
        (FILES, "too_many_files"),
        ("RuntimeError: can't start new thread", "too_many_threads"),
        ("RequestEntityTooLargeException: 9 byte payload is too large", "payload_too_large"),
        ("Unzipped size must be smaller than 262144000 bytes", "package_too_large"),
        ("the environment variables you have provided exceeded the 4KB limit", "environment_too_large"),
        ("[ERROR] MemoryError", "out_of_memory"),
    ],
)
def test_every_kind_is_told(text: str, kind: str) -> None:
    (finding,) = found(world(logs(fine(9), run(1, NOW - 60, says=(text,)))))
    assert dict(finding.evidence)["kinds"] == kind
    assert finding.severity == "warning"


def test_a_quarter_of_the_executions_is_critical_and_stays_so_a_while() -> None:
    bad = [x for n in range(5) for x in run(n, NOW - 60 + n, says=(FULL,))]
    (finding,) = found(world(logs(fine(15), bad)))
    assert finding.severity == "critical"
    less = world(logs(fine(18), bad))  # 22 %: below 25 %, above 20 %
    assert [f.severity for f in found(less)] == ["warning"]
    assert [f.severity for f in found(less, (finding,))] == ["critical"]


def test_one_of_one_is_no_share() -> None:
    (finding,) = found(world(logs(run(1, NOW - 60, says=(FULL,)))))
    assert finding.severity == "warning"


def test_a_line_without_executions_around_it_has_no_share() -> None:
    (finding,) = found(world(logs(line(NOW - 60, FULL))))
    assert dict(finding.evidence)["hit_share"] is None
    assert finding.title.endswith("in 1 execution")


@pytest.mark.parametrize(
    "text",
    [
        "[ERROR] ValueError: bad",
        "Task timed out after 3.00 seconds",
        "status 200",
        "[DEBUG]\tENOSPC would be bad",
        "Rate exceeded",
    ],
)
def test_other_failures_are_not_its_business(text: str) -> None:
    assert found(world(logs(run(1, NOW - 60, says=(text,))))) == []


def test_what_lies_before_the_window_or_nowhere_is_silent() -> None:
    assert found(world(logs(run(1, NOW - 901, says=(FULL,))))) == []
    assert found(world()) == []


def test_two_of_eight_are_a_quarter() -> None:
    bad = [x for n in range(2) for x in run(n, NOW - 60 + n, says=(FULL,))]
    assert [f.severity for f in found(world(logs(fine(6), bad)))] == ["critical"]
