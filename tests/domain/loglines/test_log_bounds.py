"""Figures that a function's own output forges: nothing but what the platform could have written counts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tokens import MOST_MB, MOST_MS, Report

BEYOND = (
    "1.7e308",
    "1e-300",
    "1e3",
    "-1",
    "nan",
    "NaN",
    "inf",
    "Infinity",
    "1" + "0" * 330,
    "9" * 4001,
    "9" * 5000,
    "\u0661\u0662",
    "\uff11\uff12",
    "1_000",
    "0x10",
    "+5",
    "1000000001",
    "",
)
MS = {
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Init Duration": "init_ms",
    "Restore Duration": "restore_ms",
}
MB = {"Memory Size": "memory_mb", "Max Memory Used": "max_memory_mb"}
JSON = {
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_ms",
    "initDurationMs": "init_ms",
    "restoreDurationMs": "restore_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "max_memory_mb",
}


def reported(line: str) -> Report:
    report = parse(0.0, "e", "s", line).report
    assert report is not None
    return report


@pytest.mark.parametrize("key", [*MS, *MB])
@pytest.mark.parametrize("figure", BEYOND)
def test_a_report_in_text_holds_only_what_the_platform_could_write(key: str, figure: str) -> None:
    unit = "ms" if key in MS else "MB"
    report = reported(f"REPORT RequestId: r\t{key}: {figure} {unit}\tStatus: error")
    assert getattr(report, (MS | MB)[key]) is None
    assert report.status == "error"


def forged(key: str) -> Iterator[str]:
    for figure in (*BEYOND[:-1], '"1.7e308"', '"1e3"', "[1]", "true", "null", "-1", "1e400"):
        yield f'{{"type":"platform.report","record":{{"requestId":"r","metrics":{{"{key}":{figure}}}}}}}'


@pytest.mark.parametrize("key", JSON)
def test_a_report_in_json_holds_only_what_the_platform_could_write(key: str) -> None:
    for line in forged(key):
        found = parse(0.0, "e", "s", line).report
        value = getattr(found, JSON[key]) if found is not None else None
        least, most = (1.0, MOST_MB) if key.endswith("MB") else (0.0, MOST_MS)
        assert value is None or least <= value <= most


def platform(**metrics: float) -> str:
    return json.dumps({"type": "platform.report", "record": {"requestId": "r", "metrics": metrics}})


def figures(report: Report) -> tuple[float | None, ...]:
    return report.duration_ms, report.billed_ms, report.memory_mb, report.max_memory_mb


@pytest.mark.parametrize("memory", ["0.5", "0", "1000001", "1" + "0" * 11])
def test_a_size_that_no_function_has_does_not_count(memory: str) -> None:
    assert reported(f"REPORT RequestId: r\tMemory Size: {memory} MB").memory_mb is None
    assert reported(platform(memorySizeMB=float(memory))).memory_mb is None


def test_what_the_platform_writes_counts() -> None:
    times = "Duration: 812.27 ms\tBilled Duration: 813 ms"
    text = f"REPORT RequestId: r\t{times}\tMemory Size: 10240 MB\tMax Memory Used: 9 MB"
    assert figures(reported(text)) == (812.27, 813, 10240, 9)
    line = platform(durationMs=0, billedDurationMs=10**9, memorySizeMB=128, maxMemoryUsedMB=10**6)
    assert figures(reported(line)) == (0, 1e9, 128, 1e6)
