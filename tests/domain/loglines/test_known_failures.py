from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.known_failures import HEAD, SIGNATURES, TAIL, classify
from lambdatop.domain.loglines.line import Report, parse

R = "79b5e81f-9a3c-4c1b-8f37-0a6c1f3f9d10"
REPORT = f"REPORT RequestId: {R}\tDuration: 9.00 ms\tMemory Size: 128 MB\tMax Memory Used: "


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        # Timeouts, old and new.
        (f"2026-11-21T04:11:00.123Z {R} Task timed out after 3.00 seconds", "timeout"),
        (REPORT + "74 MB\tInit Duration: 84.00 ms Status: timeout", "timeout"),
        ("Task timed out after 3.00 seconds", "timeout"),
        (f"[ERROR] child said: 2026-11-21T04:11:00.123Z {R} Task timed out after 3.00 seconds", ""),
        ("callee failed: Task timed out after 3.00 seconds", ""),
        ('{"errorType":"Sandbox.Timedout","errorMessage":"of the function that it called"}', ""),
        ("INFO Task timed out after a while", ""),
        # Out of memory.
        (f"2026-11-21T04:11:00.123Z\t{R}\tWARN\tremote says: OutOfMemory on node 7", ""),
        ('{"level":"INFO","message":"peer restarted after java.lang.OutOfMemoryError"}', ""),
        (f"2026-11-21T04:11:00.123Z\t{R}\tERROR\tRangeError: heap out of memory", "out_of_memory"),
        (f"2026-11-21T04:11:00.123Z\t{R}\tWARN\tEMFILE: too many open files, retrying", "too_many_files"),
        (REPORT + "127 MB\tStatus: error\tError Type: Runtime.ExitError", "out_of_memory"),
        (REPORT + "126 MB\tStatus: error\tError Type: Runtime.ExitError", "exit"),
        (REPORT + "128 MB\t", ""),
        (
            REPORT + "90 MB\tStatus: error\tError Type: Runtime.OutOfMemory\nXRAY TraceId: 1-2",
            "out_of_memory",
        ),
        (
            f"RequestId: {R} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            "out_of_memory",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
        ("System.OutOfMemoryException: Exception of type", "out_of_memory"),
        ("[ERROR] MemoryError: \nTraceback (most recent call last):", "out_of_memory"),
        (
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "out_of_memory",
        ),
        ("fatal error: runtime: out of memory", "out_of_memory"),
        ('{"level":"error","msg":"cancelled at its deadline","error":"ffmpeg: signal: killed"}', ""),
        ("failed to allocate memory (NoMemoryError)", "out_of_memory"),
        # Exits.
        (f"RequestId: {R} Error: Runtime exited with error: exit status 1\nRuntime.ExitError", "exit"),
        (f"RequestId: {R} Error: Runtime exited without providing a reason\nRuntime.ExitError", "exit"),
        ("Unknown application error occurred\nRuntime.Unknown", "exit"),
        # Initialisation.
        ("INIT_REPORT Init Duration: 10007.33 ms\tPhase: init\tStatus: timeout", "init_failure"),
        (
            "INIT_REPORT Init Duration: 9 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError",
            "init_failure",
        ),
        ("INIT_REPORT Init Duration: 9908.09 ms", ""),
        ("RESTORE_REPORT Restore Duration: 1236.04 ms Status: timeout", "init_failure"),
        (
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
            "init_failure",
        ),
        # Descriptors, disk, processes.
        ("[ERROR] OSError: [Errno 24] Too many open files: '/tmp/x'", "too_many_files"),
        ("Error: EMFILE: too many open files, open '/tmp/x'", "too_many_files"),
        ("getaddrinfo EMFILE db.local", "too_many_files"),
        ("java.io.FileNotFoundException: /tmp/x (Too many open files)", "too_many_files"),
        ("open /tmp/x: too many open files", "too_many_files"),
        ("readSystemFile done", ""),
        ("[ERROR] OSError: [Errno 28] No space left on device", "disk_full"),
        ("ENOSPC: no space left on device, write", "disk_full"),
        ("ENOSPC: System limit for number of file watchers reached", ""),
        ("java.io.IOException: No space left on device", "disk_full"),
        ("RuntimeError: can't start new thread", "too_many_threads"),
        ("java.lang.OutOfMemoryError: unable to create new native thread", "too_many_threads"),
        ("Error: spawn /usr/bin/ffmpeg EAGAIN", "too_many_threads"),
        ("runtime: failed to create new OS thread (have 5 already; errno=11)", "too_many_threads"),
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable\n  _fork_exec", "too_many_threads"),
        ("flock: [Errno 11] Resource temporarily unavailable", ""),
        (
            "[ERROR] BlockingIOError: [Errno 11] Resource temporarily unavailable\nTraceback:\n"
            "  concurrent/futures/thread.py, in run\n    fcntl.flock(f, fcntl.LOCK_EX)",
            "",
        ),
        # Sizes.
        (
            "RequestEntityTooLargeException: 473086 byte payload is too large for the Event invocation type",
            "payload_too_large",
        ),
        (
            "Response payload size (6291558 bytes) exceeded maximum allowed payload size (6291556 bytes).",
            "payload_too_large",
        ),
        ('{"errorType":"Function.ResponseSizeTooLarge"}', "payload_too_large"),
        ("Failed to post handler success response. Http response code: 413.", "payload_too_large"),
        ("Request must be smaller than 6291456 bytes for the InvokeFunction operation", "payload_too_large"),
        (
            "Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation",
            "package_too_large",
        ),
        ("Unzipped size must be smaller than 262144000 bytes", "package_too_large"),
        ("the environment variables you have provided exceeded the 4KB limit.", "environment_too_large"),
        ("order 413 accepted", ""),
        ("status ok, 413 rows", ""),
        ("area code 413 matched", ""),
        ("upstream answered status: 413", "payload_too_large"),
        # Throttles.
        ("(TooManyRequestsException) when calling the Invoke operation: Rate Exceeded.", "lambda_throttled"),
        # Each ThrottleReason of the model of Invoke names another limit.
        (
            '"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"',
            "reserved_concurrency_used_up",
        ),
        ('"Reason":"ConcurrentInvocationLimitExceeded"', "concurrency_used_up"),
        ("Reason: ReservedFunctionInvocationRateLimitExceeded", "reserved_request_rate_exceeded"),
        ("TooManyRequestsException Reason=FunctionInvocationRateLimitExceeded", "request_rate_exceeded"),
        ('{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}', "caller_rate_exceeded"),
        ('"Reason":"ConcurrentSnapshotCreateLimitExceeded"', "snapshot_creation_limit"),
        ("An error occurred (ThrottlingException) when calling Query: Rate exceeded", "api_throttled"),
        ("ProvisionedThroughputExceededException: slow down", "api_throttled"),
        ("Rate exceeded for shard shardId-000000000003 in stream clicks", "api_throttled"),
        ("error rate exceeded 5 % for tenant acme", ""),
        ("exchange rate exceeded tolerance", ""),
        # Connections.
        (
            "FATAL: remaining connection slots are reserved for non-replication superuser",
            "connection_exhausted",
        ),
        ("(1040, 'Too many connections')", "connection_exhausted"),
        ("FATAL: sorry, too many clients already", "connection_exhausted"),
        (
            "ConnectionRefusedError: the exclusive connection is held by another session",
            "connection_exhausted",
        ),
        ("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue", "connection_exhausted"),
        ("[Errno 111] Connection refused", ""),
        ("took the exclusive lock", ""),
        ("sent 'Exclusive access' to 300 customers who already subscribed", ""),
        ("took the EXCLUSIVE lock, nobody held it", ""),
        ("hello", ""),
    ],
)
def test_known_failures_by_their_wording(text: str, signature: str) -> None:
    assert parse(0.0, "e", "s", text).signature == signature
    assert signature in ("", *SIGNATURES)


@pytest.mark.parametrize(
    ("type_", "record", "kind", "signature"),
    [
        ("platform.report", {"status": "timeout", "requestId": R}, "report", "timeout"),
        ("platform.runtimeDone", {"status": "timeout", "requestId": R}, "end", "timeout"),
        ("platform.runtimeDone", {"status": "success", "requestId": R}, "end", ""),
        ("platform.runtimeDone", {"status": "error", "errorType": "Runtime.ExitError"}, "end", "exit"),
        (
            "platform.initReport",
            {"status": "error", "errorType": "Runtime.ExitError"},
            "init",
            "init_failure",
        ),
        ("platform.initReport", {"status": "success", "metrics": {"durationMs": 5}}, "init", ""),
        ("platform.initRuntimeDone", {"status": "timeout"}, "init", "init_failure"),
        ("platform.restoreReport", {"status": "timeout"}, "init", "init_failure"),
        (
            "platform.report",
            {"status": "error", "errorType": "Runtime.OutOfMemory"},
            "report",
            "out_of_memory",
        ),
        (
            "platform.report",
            {"status": "failure", "metrics": {"memorySizeMB": 100, "maxMemoryUsedMB": 99}},
            "report",
            "out_of_memory",
        ),
        ("platform.report", {"status": "error", "errorType": "ValueError"}, "report", ""),
        ("platform.logsDropped", {"droppedRecords": 7, "reason": "x"}, "app", "logs_dropped"),
    ],
)
def test_platform_events_in_json(type_: str, record: dict[str, object], kind: str, signature: str) -> None:
    line = parse(0.0, "e", "s", json.dumps({"time": "t", "type": type_, "record": record}))
    assert (line.kind, line.signature) == (kind, signature)
    assert line.request_id == record.get("requestId", "")


@pytest.mark.parametrize(
    ("data", "kind", "level", "signature"),
    [
        (
            {"errorType": "OSError", "errorMessage": "[Errno 28] x", "stackTrace": []},
            "error",
            "error",
            "disk_full",
        ),
        ({"level": "ERROR", "errorType": "KeyError", "errorMessage": "x"}, "error", "error", ""),
        ({"level": "WARN", "errorType": "OSError", "message": "EMFILE"}, "app", "warn", "too_many_files"),
        ({"level": "DEBUG", "message": "would raise EMFILE"}, "app", "debug", ""),
        ({"level": "INFO", "message": "fine"}, "app", "info", ""),
        ({"level": "info", "message": "request", "status": 413}, "app", "info", ""),
        ({"level": "warn", "message": "request", "status": 413}, "app", "warn", "payload_too_large"),
        ({"Records": [{"body": "no space left on device"}]}, "app", "", ""),
    ],
)
def test_application_lines_in_json(data: dict[str, object], kind: str, level: str, signature: str) -> None:
    line = parse(0.0, "e", "s", json.dumps({"function_request_id": R, **data}))
    assert (line.kind, line.level, line.signature, line.request_id) == (kind, level, signature, R)


def test_who_debugs_prints_everything() -> None:
    assert parse(0.0, "e", "s", f"[DEBUG]\t2026-11-21T04:11:00.123Z\t{R}\tretry on EMFILE").signature == ""
    assert (
        parse(0.0, "e", "s", f"[ERROR]\t2026-11-21T04:11:00.123Z\t{R}\tEMFILE").signature == "too_many_files"
    )


@pytest.mark.parametrize(
    ("words", "signature"),
    [
        ("Rate exceeded, attempt 1 of 5, sleeping", ""),
        ("upstream answered status: 413 to the client", ""),
        ("no space left on device, says the ticket", ""),
        ("Error: EMFILE: too many open files\n    at open (/var/task/a.js:1:1)", "too_many_files"),
    ],
)
def test_information_is_no_failure_unless_it_holds_a_trace(words: str, signature: str) -> None:
    assert parse(0.0, "e", "s", f"2026-11-21T04:11:00.123Z\t{R}\tINFO\t{words}").signature == signature


def test_report_fields_in_any_order_and_spacing() -> None:
    text = (
        f"REPORT RequestId: {R}  Status: error Error Type: Runtime.ExitError\tMax Memory Used: 74 MB"
        "  Memory Size: 128 MB\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t"
        "Duration: 5.5 ms\tBilled Duration: 6 ms\t\nXRAY TraceId: 1-5\tSegmentId: 7\tSampled: true\t"
    )
    assert parse(0.0, "e", "s", text).report == Report(
        5.5, 6, 128, 74, None, "error", "Runtime.ExitError", 398.97
    )


def test_the_text_alone_tells_a_timeout_too() -> None:
    assert classify(f"2026-11-21T04:11:00.123Z {R} Task timed out after 3.00 seconds") == "timeout"
    assert classify("Task timed out after 3 seconds, said the job") == ""


def test_only_the_ends_of_a_long_line_are_read() -> None:
    pad = "x" * 5000
    assert classify("ENOSPC " + pad) == "disk_full"
    assert classify(pad + " ENOSPC") == "disk_full"
    assert classify("x" * (HEAD + 100) + " ENOSPC " + "x" * (TAIL + 100)) == ""


@given(st.text(max_size=200), st.sampled_from(("", "EMFILE", "413", "exclusive", "262144000", "EAGAIN")))
def test_any_text_gets_a_known_signature(text: str, word: str) -> None:
    assert classify(f"{text} {word}") in ("", *SIGNATURES)
