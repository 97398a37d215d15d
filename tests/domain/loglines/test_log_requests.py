from __future__ import annotations

import json

import pytest
from fakes.logscene import line, rid, run, stream

from lambdatop.domain.log_analysis.requests import Request, requests
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.records import join

STAMP = "2026-11-21T04:11:00.123Z"


def one(lines: list[LogLine]) -> Request:
    found = requests(join(lines))
    assert len(found) == 1
    return found[0]


def test_a_request_has_the_numbers_of_its_report() -> None:
    lines = run(1, 10.0, 3, says=("a", "b"), init_ms=166.62, used_mb=74, size_mb=256)
    assert one(lines) == Request(
        request_id=rid(1),
        status="success",
        attempts=1,
        duration_ms=100.0,
        billed_ms=100.0,
        init_ms=166.62,
        memory_mb=256.0,
        max_memory_mb=74.0,
        error_type="",
        error="",
        signature="",
        stream=stream(3),
        first_at=10.0,
        last_at=10.1,
        records=5,
    )


def test_retries_keep_the_id() -> None:
    failed = "[ERROR] ValueError: bad"
    lines = [
        *run(1, 10.0, 0, says=(failed,)),
        *run(1, 70.0, 1, says=(failed,)),
        *run(1, 190.0, 2, used_mb=90),
    ]
    seen = one(lines)
    assert (seen.attempts, seen.status, seen.stream) == (3, "success", stream(2))
    assert (seen.billed_ms, seen.max_memory_mb) == (100.0, 90.0)
    assert (seen.first_at, seen.last_at, seen.error) == (10.0, 190.1, "ValueError: bad")
    assert one(lines[:-4]).status == "error"
    assert one([*lines, *lines]).attempts == 3  # the same events again


@pytest.mark.parametrize(
    ("says", "end", "status", "error", "signature"),
    [
        ((), "Status: timeout", "timeout", "REPORT timeout", "timeout"),
        (
            (f"{STAMP} {rid(1)} Task timed out after 3.00 seconds",),
            "",
            "timeout",
            "Task timed out after 3.00 seconds",
            "timeout",
        ),
        (
            (f"RequestId: {rid(1)} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",),
            "",
            "error",
            "Error: Runtime exited with error: signal: killed",
            "out_of_memory",
        ),
        (("[ERROR] KeyError: 'x'\nTraceback",), "", "error", "KeyError: 'x'", ""),
        ((f"[ERROR]\t{STAMP}\t{rid(1)}\tretrying",), "", "success", "retrying", ""),
        ((f"[ERROR]\t{STAMP}\t{rid(1)}\tretrying",), "Status: success", "success", "retrying", ""),
        (
            (f'{STAMP}\t{rid(1)}\tERROR\tInvoke Error \t{{"errorType":"Error","errorMessage":"boom"}}',),
            "",
            "error",
            "Error: boom",
            "",
        ),
        (
            (f"{STAMP}\t{rid(1)}\tERROR\tTypeError: x\n    at handler (/var/task/index.js:3:9)",),
            "",
            "success",  # console.error(err): only .NET writes an error that left the handler like this
            "TypeError: x",
            "",
        ),
        (
            ('{"errorMessage":"no order","errorType":"wrapError"}',),  # Go, with log.SetFlags(0)
            "",
            "error",
            "wrapError: no order",
            "",
        ),
        (
            ('{"errorMessage":"no order","errorType":"wrapError","orderId":71}',),
            "",
            "success",
            "wrapError: no order",
            "",
        ),
        (
            (f"{STAMP}\t{rid(1)}\tfail\tSystem.Exception: x\n   at Example.Handler()",),
            "",
            "error",
            "System.Exception: x",
            "",
        ),
        (
            (),
            "Status: error\tError Type: Runtime.ExitError",
            "error",
            "REPORT error Runtime.ExitError",
            "exit",
        ),
        (("panic: boom", "", "goroutine 1 [running]:"), "", "error", "panic: boom", ""),
    ],
)
def test_what_became_of_a_request(
    says: tuple[str, ...], end: str, status: str, error: str, signature: str
) -> None:
    seen = one(run(1, 10.0, says=says, end=end))
    assert (seen.status, seen.error, seen.signature) == (status, error, signature)


def test_a_request_without_an_end_is_running() -> None:
    seen = one([*run(1, 10.0)[:1], line(10.5, "working")])
    assert (seen.status, seen.attempts, seen.duration_ms, seen.billed_ms) == ("running", 1, None, None)
    again = one([*run(1, 10.0, says=("[ERROR] E: x",)), *run(1, 70.0, 1)[:1]])
    assert (again.status, again.attempts, again.duration_ms) == ("running", 2, 100.0)


def test_requests_in_json() -> None:
    def event(type_: str, **record: object) -> str:
        return json.dumps({"time": STAMP, "type": type_, "record": {"requestId": "r1", **record}})

    metrics = {"durationMs": 12.5, "billedDurationMs": 13, "memorySizeMB": 128, "maxMemoryUsedMB": 50}
    seen = one(
        [
            line(1.0, event("platform.start", version="1")),
            line(1.1, json.dumps({"level": "ERROR", "message": "no db", "requestId": "r1"})),
            line(1.2, event("platform.runtimeDone", status="error", errorType="Error")),
            line(1.3, event("platform.report", status="error", errorType="Error", metrics=metrics)),
        ]
    )
    assert (seen.status, seen.error, seen.error_type, seen.duration_ms) == ("error", "no db", "Error", 12.5)


def test_requests_come_in_order_and_lines_of_nobody_are_left_out() -> None:
    lines = [*run(2, 20.0), *run(1, 10.0), line(5.0, "before anything")]
    assert [r.request_id for r in requests(join(lines))] == [rid(1), rid(2)]
    assert requests(()) == ()
