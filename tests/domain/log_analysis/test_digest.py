from __future__ import annotations

import random

from fakes.logscene import init, line, logs, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.detectors.rules import (
    cold_start_burst,
    memory_pressure,
    proactive_init,
    resource_limit,
)
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

MESSAGE = "0f0f0f0f-1111-4222-8333-444444444444"
STREAM = "2026/11/21/[$LATEST]" + "a" * 32


def request(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


def attempts(count: int) -> list[LogLine]:
    lines = [
        parse(99.0, "i", STREAM, "INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn:x")
    ]
    for n in range(count):
        at, rid = 100.0 + 10 * n, request(n)
        texts = (
            f"START RequestId: {rid} Version: $LATEST",
            f"order 7: message {MESSAGE}, receive {n + 1}",
            "[ERROR] ValueError: order 7: unknown currency",
            f"END RequestId: {rid}",
            f"REPORT RequestId: {rid}\tDuration: 61.00 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB",
        )
        lines += [parse(at, f"{n}.{i}", STREAM, text) for i, text in enumerate(texts)]
    return lines


def tail(lines: list[LogLine]) -> LogTail:
    return append_lines(LogTail(), tuple(lines))


def test_a_digest_counts_the_executions_that_mention_a_message() -> None:
    seen = digest(tail(attempts(3)))
    assert dict(seen.mentions) == {MESSAGE: 3}
    assert [s.request_id for s in seen.starts] == [request(0), request(1), request(2)]
    assert [i.stream for i in seen.inits] == [STREAM]
    assert [r.report.duration_ms for r in seen.reports] == [61.0] * 3
    assert [(f.signature, f.request_id) for f in seen.failures] == [("error", request(n)) for n in range(3)]


def test_neither_order_nor_repetition_of_lines_changes_a_digest() -> None:
    lines = attempts(4)
    expected = digest(tail(lines))
    for seed in range(20):
        shuffled = lines + lines[3:9]
        random.Random(seed).shuffle(shuffled)
        seen = digest(tail(shuffled))
        assert (seen.starts, seen.reports, seen.failures, dict(seen.mentions)) == (
            expected.starts,
            expected.reports,
            expected.failures,
            dict(expected.mentions),
        )


def test_a_digest_of_the_same_tail_is_made_once() -> None:
    one = tail(attempts(1))
    assert digest(one) is digest(one)


def test_an_environment_is_a_stream_from_its_initialisation_to_its_first_request() -> None:
    lines = [init(10.0, 1), *run(1, 12.5, 1, init_ms=500.0), *run(2, 20.0, 1), *run(3, 5.0, 2), init(30.0, 3)]
    two, one, three = digest(tail(lines)).environments
    assert (one.init_at, one.init_ms, one.start_at, one.last_at) == (10.0, 500.0, 12.5, 20.1)
    assert one.idle_s(99.0, 7.0) == 2.0
    assert (two.init_at, two.start_at, two.idle_s(99.0, 7.0)) == (None, 5.0, None)
    assert (three.init_ms, three.start_at, three.idle_s(99.0, 7.0)) == (None, None, 62.0)


def test_an_environment_that_has_served_is_not_made_new_by_another_init_line() -> None:
    (seen,) = digest(tail([*run(1, 5.0, 1), init(9.0, 1)])).environments
    assert (seen.init_at, seen.idle_s(99.0, 7.0)) == (None, None)


def test_a_part_of_a_digest_keeps_environments_and_mentions() -> None:
    whole = digest(tail(attempts(3)))
    part = whole.since(110.0)
    assert [s.request_id for s in part.starts] == [request(1), request(2)]
    assert (len(part.reports), len(part.failures), part.inits) == (2, 2, ())
    assert (part.mentions, part.environments) == (whole.mentions, whole.environments)


SCENE = [
    line(NOW - 1000, "an older line"),
    init(NOW - 420.5, 1),
    init(NOW - 300, 2),
    *(x for n in range(6) for x in run(n, NOW - 250 + n, n + 3, init_ms=300.0, used_mb=125)),
    *(
        x
        for n in range(8, 24)
        for x in run(n, NOW - 240 + n, 1, used_mb=120, says=("[ERROR] OSError: EMFILE",))
    ),
    *run(30, NOW - 60, 1, used_mb=128, end="Status: error\tError Type: Runtime.OutOfMemory"),
]


def findings(lines: list[LogLine]) -> list[Finding]:
    known = [
        ev.FunctionsListed(SCOPE, NOW, (function(),)),
        ev.ConcurrencyObserved(SCOPE, NOW, ((WORKER, 1),)),
        logs(lines),
    ]
    seen = evaluation_context(fold_all(EMPTY_WORLD, known), NOW, PROMPT)
    detectors = (cold_start_burst, memory_pressure, proactive_init, resource_limit)
    return [f for detector in detectors for f in detector.detect(seen)]


EXPECTED = findings(SCENE)
WHOLE = digest(tail(SCENE))


@given(st.permutations(SCENE), st.lists(st.sampled_from(SCENE), max_size=20))
def test_no_finding_depends_on_the_order_or_repetition_of_lines(
    shuffled: list[LogLine], repeated: list[LogLine]
) -> None:
    assert [f.detector for f in EXPECTED] == [
        "cold_start_burst",
        "memory_pressure",
        "proactive_init",
        "resource_limit",
    ]
    assert findings(shuffled + repeated) == EXPECTED
    again = digest(tail(repeated + shuffled))
    assert (again.environments, again.failures, again.starts, again.inits, again.reports) == (
        WHOLE.environments,
        WHOLE.failures,
        WHOLE.starts,
        WHOLE.inits,
        WHOLE.reports,
    )


def test_a_long_digest_is_made_with_pauses_and_is_the_same() -> None:
    lines = tuple(parse(NOW + i, f"{i}", STREAM, f"[ERROR] {request(i)} {MESSAGE}") for i in range(1_200))
    pauses: list[int] = []
    with_pauses = digest(append_lines(LogTail(), lines), lambda: pauses.append(1))
    without = digest(append_lines(LogTail(), lines))
    assert len(pauses) > 6
    assert (with_pauses.failures, with_pauses.environments) == (without.failures, without.environments)
    assert len(without.failures) == 1_200
