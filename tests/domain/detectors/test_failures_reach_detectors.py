"""Each known failure from the raw text of its log line, through parser and fold, to the findings."""

from __future__ import annotations

import json

import pytest
from fakes.logscene import logs, rid, run
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, metrics, points

from lambdatop.domain.detectors.registry import detect_all
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.figures.failure_evidence import NEWEST_LINES, most_frequent
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

STAMP = "2027-01-15T07:58:00.123Z"
STREAM = "2027/01/15/[$LATEST]000000000000000000000000000000ff"
AT = NOW - 150


def raw(text: str, n: int) -> LogLine:
    return parse(AT + n + 0.05, f"raw{n}", STREAM, text)


def failing(texts: tuple[str, ...], count: int = 12) -> list[LogLine]:
    """Return executions of which each writes these lines; `ID` stands for the request."""
    lines: list[LogLine] = []
    for n in range(count):
        start, end, report = (
            parse(line.at, line.event_id, STREAM, line.text) for line in run(n, AT + n, says=())
        )
        said = [raw(text.replace("ID", rid(n)), n) for text in texts]
        said = [parse(s.at + i / 1000, f"{n}.{i}", STREAM, s.text) for i, s in enumerate(said)]
        own = [s for s in said if s.kind == "report"]
        lines += [start, *(s for s in said if s.kind != "report"), end, *(own or [report])]
    return lines


def findings(texts: tuple[str, ...]) -> dict[str, Finding]:
    end = NOW - 60
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(timeout_s=3),)),
            metrics(
                points(WORKER, "Invocations", [30.0] * 32, end=end),
                points(WORKER, "Errors", [0.0] * 30 + [10.0, 10.0], end=end),
            ),
            logs(failing(texts)),
        ],
    )
    return {
        f.detector: f
        for f in detect_all(evaluation_context(world, NOW, PROMPT)).findings
        if f.target.key == WORKER
    }


def platform_report(status: str, error_type: str) -> str:
    record = {
        "requestId": "ID",
        "status": status,
        "errorType": error_type,
        "metrics": {"durationMs": 90.1, "billedDurationMs": 91, "memorySizeMB": 128, "maxMemoryUsedMB": 60},
    }
    return json.dumps({"time": STAMP, "type": "platform.report", "record": record})


def report(tail: str, used_mb: int = 60) -> str:
    return (
        "REPORT RequestId: ID\tDuration: 90.10 ms\tBilled Duration: 91 ms\tMemory Size: 128 MB\t"
        f"Max Memory Used: {used_mb} MB\t{tail}"
    )


IMPORT = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'requests'"
NODE_IMPORT = '{"errorType":"Runtime.ImportModuleError","errorMessage":"Cannot find module"}'
NODE_SIZE = (
    '{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum '
    'allowed payload size (6291556 bytes)."}'
)
KILLED = "RequestId: ID Error: Runtime exited with error: signal: killed\nRuntime.ExitError"

KNOWN = [
    ("timeout", "timeouts", (f"{STAMP} ID Task timed out after 3.00 seconds",)),
    ("timeout", "timeouts", (report("Status: timeout"),)),
    ("timeout", "timeouts", (platform_report("timeout", ""),)),
    (
        "out_of_memory",
        "memory_pressure",
        (KILLED, report("Status: error\tError Type: Runtime.ExitError", 128)),
    ),
    ("out_of_memory", "memory_pressure", (platform_report("error", "Runtime.OutOfMemory"),)),
    ("out_of_memory", "resource_limit", ("[ERROR] MemoryError: \nTraceback (most recent call last):",)),
    ("out_of_memory", "resource_limit", ("FATAL ERROR: Reached heap limit: JavaScript heap out of memory",)),
    (
        "exit",
        "error_burst",
        ("RequestId: ID Error: Runtime exited with error: exit status 1\nRuntime.ExitError",),
    ),
    ("exit", "error_rate", (report("Status: error\tError Type: Runtime.ExitError"),)),
    ("init_failure", "error_burst", (f"{IMPORT}\nTraceback (most recent call last):",)),
    ("init_failure", "error_rate", (platform_report("error", "Runtime.ImportModuleError"),)),
    (
        "init_failure",
        "error_burst",
        (f"{STAMP}\tID\tERROR\tUncaught Exception \t{NODE_IMPORT}",),
    ),
    ("too_many_files", "resource_limit", ("[ERROR] OSError: [Errno 24] Too many open files: '/tmp/x'",)),
    ("too_many_files", "resource_limit", (f"{STAMP}\tID\tERROR\tError: getaddrinfo EMFILE db.local",)),
    ("disk_full", "resource_limit", ("java.io.IOException: No space left on device",)),
    (
        "disk_full",
        "resource_limit",
        (
            json.dumps(
                {"level": "ERROR", "requestId": "ID", "message": "ENOSPC: no space left on device, write"}
            ),
        ),
    ),
    (
        "payload_too_large",
        "resource_limit",
        ("[ERROR] Failed to post handler success response. Http response code: 413.",),
    ),
    (
        "payload_too_large",
        "resource_limit",
        (f"{STAMP}\tID\tERROR\tInvoke Error \t{NODE_SIZE}",),
    ),
    (
        "payload_too_large",
        "resource_limit",
        (report("Status: error\tError Type: Function.ResponseSizeTooLarge"),),
    ),
]


@pytest.mark.parametrize(("signature", "detector", "texts"), KNOWN)
def test_a_known_failure_is_recognised_and_handed_on(
    signature: str, detector: str, texts: tuple[str, ...]
) -> None:
    found = findings(texts)
    assert detector in found
    evidence = dict(found[detector].evidence)
    if detector == "timeouts":
        assert evidence["timeouts"] == 12
    elif detector == "memory_pressure":
        assert (evidence["out_of_memory"], found[detector].severity) == (12, "critical")
    elif detector == "resource_limit":
        assert (evidence["kinds"], evidence[signature]) == (signature, 12)
    # Whoever counts errors by metrics alone says what they are.
    for counting in ("error_rate", "error_burst"):
        evidence = dict(found[counting].evidence)
        assert (evidence["most_frequent_signature"], evidence["most_frequent_lines"]) == (signature, 12)


def test_an_ordinary_error_is_none_of_them() -> None:
    found = findings(("[ERROR] KeyError: 'customer'\nTraceback (most recent call last):",))
    assert set(found) == {"error_rate", "error_burst"}
    evidence = dict(found["error_rate"].evidence)
    assert evidence["most_frequent_failure"] == "KeyError: <str>"
    assert evidence["most_frequent_signature"] is None


def test_secrets_in_a_sample_are_hidden() -> None:
    found = findings(("[ERROR] OSError: ENOSPC password=hunter2abc",))
    for finding in found.values():
        assert "hunter" not in repr(finding.evidence)
    assert (
        dict(found["resource_limit"].evidence)["disk_full_sample"] == "[ERROR] OSError: ENOSPC password=•••"
    )


def test_the_newest_failures_are_the_ones_that_count() -> None:
    old = [n for i in range(NEWEST_LINES) for n in run(i, AT + i / 100, says=("[ERROR] Old: x",))]
    new = [n for i in range(90) for n in run(1000 + i, AT + 60 + i / 100, says=("[ERROR] New: x",))]
    tail = append_lines(LogTail(), (*new, *old))
    kind = most_frequent(tail, AT)
    assert kind is not None
    assert (kind.fingerprint, kind.count) == ("New: x", 90)
    assert most_frequent(tail, NOW) is None


@pytest.mark.parametrize(
    "merely_said",
    [
        "[INFO]\t2027-01-15T07:58:00.123Z\tID\tRate exceeded, attempt 1 of 5, sleeping",
        "[ERROR]\t2027-01-15T07:58:00.123Z\tID\tcache miss, read from the table",
        "[ERROR]\t2027-01-15T07:58:00.123Z\tID\tspill: no space left on device, kept in memory",
        "ERROR counter reset",
        '{"_aws":{"CloudWatchMetrics":[]},"errorType":"none","Failures":0}',
    ],
)
def test_what_requests_failed_of_comes_before_what_every_request_says(merely_said: str) -> None:
    """Every request says it, a third of them fails, and of something else."""
    lines = []
    for n in range(30):
        failed = ("[ERROR] KeyError: 'total'\nTraceback (most recent call last):",) if n % 3 == 0 else ()
        lines += run(n, AT + n, n, says=(merely_said.replace("ID", rid(n)), *failed))
    kind = most_frequent(append_lines(LogTail(), tuple(lines)), AT)
    assert kind is not None
    assert (kind.fingerprint, kind.count) == ("KeyError: <str>", 10)


def test_without_a_failed_request_the_most_frequent_line_counts() -> None:
    said = f"[ERROR]\t{STAMP}\t{rid(1)}\tno stock"
    kind = most_frequent(append_lines(LogTail(), tuple(run(1, AT, says=(said,)))), AT)
    assert kind is not None
    assert kind.fingerprint == "no stock"
