from __future__ import annotations

import random

from lambdatop.domain.fold import append_lines
from lambdatop.domain.logdigest import digest
from lambdatop.domain.logline import LogLine, parse
from lambdatop.domain.world import LogTail

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
            f"REPORT RequestId: {rid}\tDuration: 61.00 ms\tBilled Duration: 62 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB",
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
