from __future__ import annotations

import pytest

from lambdatop.demo.emulator import platform_lines
from lambdatop.demo.emulator.runtime_worker import MARK
from lambdatop.demo.patches.executions import parse_output
from lambdatop.demo.patches.logs import UnsupportedPattern, matcher


def test_report_of_a_cold_start_bills_the_init() -> None:
    line = platform_lines.report(
        "id", duration_ms=133.61, init_ms=80.0, memory_size_mb=128, memory_used_mb=37
    )
    assert line == (
        "REPORT RequestId: id\tDuration: 133.61 ms\tBilled Duration: 214 ms\tMemory Size: 128 MB"
        "\tMax Memory Used: 37 MB\tInit Duration: 80.00 ms\t"
    )


def test_report_of_a_timeout_says_so_and_a_warm_one_has_no_init() -> None:
    line = platform_lines.report(
        "id", duration_ms=3000, init_ms=None, memory_size_mb=128, memory_used_mb=0, status="timeout"
    )
    assert line.endswith("\tStatus: timeout\t")
    assert "Init" not in line


def test_init_start_names_the_declared_runtime() -> None:
    line = platform_lines.init_start("python3.12", "eu-west-1")
    assert line.startswith(
        "INIT_START Runtime Version: python:3.12.v39\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:"
    )
    assert len(line.rsplit(":", 1)[-1]) == 64


def test_a_traceback_is_one_event() -> None:
    text = platform_lines.error(
        "ValueError", "no", ('  File "/var/task/app.py", line 2, in handler\n    boom\n',)
    )
    assert text.startswith("[ERROR] ValueError: no\nTraceback (most recent call last):\n  File ")
    assert not text.endswith("\n")


def test_output_is_split_by_stamp_and_marks_vanish() -> None:
    raw = f"{MARK}1700{MARK}a{MARK}b\n{MARK}{MARK}\nunstamped"
    lines = parse_output(raw)
    assert lines[0] == (1700, f"a{MARK}b")
    assert [text for _, text in lines[1:]] == ["unstamped"]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("", "anything", None),
        ("ERROR", "[ERROR] x", "error"),
        ("?REPORT ?START", "START RequestId", "END RequestId"),
        ("RequestId -END", "START RequestId", "END RequestId"),
        ('"Task timed out"', "x Task timed out after 3 s", "Task ended, timed out"),
        ("order XBT", "XBT in order 4", "order 4"),
        ("%order [0-9]+:%", "order 47: x", "order x"),
    ],
)
def test_text_patterns(pattern: str, matching: str, other: str | None) -> None:
    matches = matcher(pattern)
    assert matches(matching)
    assert other is None or not matches(other)


@pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[ip, user]"])
def test_patterns_that_are_not_evaluated_are_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPattern):
        matcher(pattern)
