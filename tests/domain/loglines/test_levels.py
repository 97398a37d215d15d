"""Levels are found where loggers write them, and nowhere else."""

from __future__ import annotations

import re

import pytest

from lambdatop.domain.log_analysis.insights import ANY_CASE, EXACT
from lambdatop.domain.loglines.levels import level_in
from lambdatop.domain.loglines.line import parse


@pytest.mark.parametrize(
    ("text", "level"),
    [
        # Loggers, as tests/corpus has them from public sources.
        ("[12:50:51 ERR] bad", "error"),
        ("3:04PM FTL gone", "fatal"),
        ("npm ERR! code 1", "error"),
        ("[Error] bad", "error"),
        ("[2026/11/21 04:11:00] [warn] slow", "warn"),
        ("warn: slow", "warn"),
        ("17 Jan 21:00:00 - info: ok", "info"),
        ("fail: Example.Handler[0]", "error"),
        ("PHP Warning:  slow", "warn"),
        ("PHP Deprecated:  old", "warn"),
        ("Fatal error: gone", "fatal"),
        ("2026-11-21T04:11:00Z error bad", "error"),
        ("2026-11-21T04:11:00Z dpanic bad", "fatal"),
        ("(node:8) [DEP0005] DeprecationWarning: Buffer() is deprecated", "warn"),
        ("/var/task/app.py:12: DeprecationWarning: old", "warn"),
        ("W1121 04:11:00.123456       1 main.go:43] slow", "warn"),
        ("LAMBDA_WARNING: Unhandled exception", "warn"),
        # Prose and figures.
        ("0 errors, 3 warnings", ""),
        ("0 error", ""),
        ("Errors: 0", ""),
        ("error rate is 0.1 %", ""),
        ("3 fatal accidents", ""),
        ("the info: see below", ""),
        ("value INF is not finite", ""),
        ("the server said ERR and went on", ""),
        ("no [error] was found", ""),
        ("AWS_XRAY_CONTEXT_MISSING=LOG_ERROR", ""),
        ("fatal error: all goroutines are asleep", ""),
        ("panic: assignment to entry in nil map", ""),
        ("(node:8) UnhandledPromiseRejectionWarning: Error: bad", ""),
        ("E1121 is the number of the order", ""),
    ],
)
def test_a_level_is_read_where_a_logger_writes_it(text: str, level: str) -> None:
    assert level_in(text) == level


@pytest.mark.parametrize(
    ("text", "kind", "signature"),
    [
        ("-XX:+ExitOnOutOfMemoryError -XX:+CrashOnOutOfMemoryError", "app", ""),
        ("blocked by process 1234", "app", ""),
        ("Setting lambda timeout as (60, 60)", "app", ""),
        ("no public method named x was added", "app", ""),
        ("failed to start the car", "app", ""),
        ("see you\nat noon (or later)", "app", ""),
        ("the thread 'main' panicked at noon", "app", ""),
        ("[WARN] retry\n\tat example.Handler.run(Handler.java:5)", "app", ""),
        ("Runtime. It is 5.", "app", ""),
        ("2026/11/21 04:11:00 IMAGE uploaded", "app", ""),
        ("Extension.Crash", "error", "exit"),
        ("Runtime.ExitError", "error", "exit"),
        ("2026-11-21T04:11:00.123Z\t\tfail\tSystem.Exception: bad", "error", ""),
    ],
)
def test_what_only_looks_like_a_failure_is_none(text: str, kind: str, signature: str) -> None:
    line = parse(1.0, "e", "s", text)
    assert (line.kind, line.signature) == (kind, signature)


@pytest.mark.parametrize(
    "text",
    [
        "[12:50:51 ERR] bad", "3:04PM FTL gone", "[2026/11/21 04:11:00] [crit] bad", "error: bad", "fail: x",
        "17 Jan 21:00:00 - error: bad", "2026-11-21T04:11:00Z error bad", "2026-11-21 04:11:00,123 panic bad",
        "2026-11-21T04:11:00+0100 critical bad", "E1121 04:11:00.123456 1 main.go:43] bad",
        "PHP Fatal error:  x",
        "\x1b[31mERR\x1b[0m bad", '{"level":"\\u001b[31merr\\u001b[39m"}', '{"exception": ["x"]}',
        "\x1b[31merror\x1b[39m: bad", "EXTENSION\tName: x\tState: ShutdownFailed\tEvents: [SHUTDOWN]",
        "\x1b[31mERRO\x1b[0m[0012] bad", '{"short_message":"bad","level":3}',
        "thread 'x' panicked at src/main.rs:3:5:", "Critical exception from handler",
    ],
)  # fmt: skip
def test_the_query_for_errors_asks_for_every_form(text: str) -> None:
    assert parse(1.0, "e", "s", text).level in ("error", "fatal")
    assert re.search(EXACT, text) or re.search(ANY_CASE, text, re.IGNORECASE)
