"""Log lines as Lambda writes them: old and new text, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random

from msgspec import Struct

RUNTIME = "python:3.13.v41"
Raw = tuple[float, str, str]
"""(s since the epoch, log stream, message)"""


class Execution(Struct, frozen=True):
    """One invocation in one environment. `outcome` is ok, error, timeout, oom or exit; units as in REPORT."""

    at: float
    request_id: str
    stream: str
    duration_ms: float
    memory_mb: int
    used_mb: int
    outcome: str = "ok"
    init_ms: float | None = None
    said: tuple[str, ...] = ()
    version: str = "$LATEST"

    @property
    def end(self) -> float:
        return self.at + self.duration_ms / 1000


Style = Callable[[Execution], Iterator[Raw]]


def uuid(dice: Random) -> str:
    text = f"{dice.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def stream_name(dice: Random, version: str = "$LATEST") -> str:
    return f"2027/01/15/[{version}]{dice.getrandbits(128):032x}"


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _begin(e: Execution) -> Iterator[Raw]:
    if e.init_ms is not None:
        arn = "Runtime Version ARN: arn:aws:lambda:eu-central-1::runtime:0cdc"
        yield e.at - e.init_ms / 1000, e.stream, f"INIT_START Runtime Version: {RUNTIME}\t{arn}"
    yield e.at, e.stream, f"START RequestId: {e.request_id} Version: {e.version}"
    for i, words in enumerate(e.said):
        yield e.at + 0.001 * (i + 1), e.stream, words


def _report(e: Execution, more: str = "") -> Raw:
    billed = e.duration_ms + (e.init_ms or 0)
    init = f"\tInit Duration: {e.init_ms:.2f} ms" if e.init_ms is not None else ""
    text = (
        f"REPORT RequestId: {e.request_id}\tDuration: {e.duration_ms:.2f} ms"
        f"\tBilled Duration: {billed:.0f} ms\tMemory Size: {e.memory_mb} MB"
        f"\tMax Memory Used: {e.used_mb} MB{init}\t{more}"
    )
    return e.end + 0.002, e.stream, text


def old_text(e: Execution) -> Iterator[Raw]:
    """Yield the form before 2024: the reason stands on a line of its own."""
    yield from _begin(e)
    if e.outcome == "timeout":
        words = f"{stamp(e.end)} {e.request_id} Task timed out after {e.duration_ms / 1000:.2f} seconds"
        yield e.end, e.stream, words
    elif e.outcome == "oom":
        words = (
            f"RequestId: {e.request_id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError"
        )
        yield e.end, e.stream, words
    yield e.end + 0.001, e.stream, f"END RequestId: {e.request_id}"
    yield _report(e)


def new_text(e: Execution) -> Iterator[Raw]:
    """Yield the form since 2024: the reason stands in REPORT."""
    yield from _begin(e)
    yield e.end + 0.001, e.stream, f"END RequestId: {e.request_id}"
    reasons = {
        "timeout": "Status: timeout",
        "oom": "Status: error\tError Type: Runtime.OutOfMemory",
        "exit": "Status: error\tError Type: Runtime.ExitError",
    }
    yield _report(e, reasons.get(e.outcome, ""))


def json_lines(e: Execution) -> Iterator[Raw]:
    """Yield LogFormat JSON: platform events and the application's own objects."""
    if e.init_ms is not None:
        began = e.at - e.init_ms / 1000
        record = {"initializationType": "on-demand", "phase": "init", "runtimeVersion": RUNTIME}
        yield began, e.stream, _platform(began, "platform.initStart", record)
    start = {"requestId": e.request_id, "version": e.version}
    yield e.at, e.stream, _platform(e.at, "platform.start", start)
    for i, words in enumerate(e.said):
        at = e.at + 0.001 * (i + 1)
        level = "ERROR" if e.outcome == "error" else "INFO"
        said = {"timestamp": stamp(at), "level": level, "requestId": e.request_id, "message": words}
        yield at, e.stream, json.dumps(said)
    metrics: dict[str, float] = {
        "durationMs": round(e.duration_ms, 2),
        "billedDurationMs": round(e.duration_ms + (e.init_ms or 0)),
        "memorySizeMB": e.memory_mb,
        "maxMemoryUsedMB": e.used_mb,
    }
    if e.init_ms is not None:
        metrics["initDurationMs"] = e.init_ms
    status = {"ok": "success", "timeout": "timeout"}.get(e.outcome, "error")
    report: dict[str, object] = {"requestId": e.request_id, "metrics": metrics, "status": status}
    if e.outcome == "oom":
        report["errorType"] = "Runtime.OutOfMemory"
    yield e.end + 0.002, e.stream, _platform(e.end + 0.002, "platform.report", report)


def failed_init(at: float, stream: str, error: str = "Runtime.ImportModuleError") -> Iterator[Raw]:
    """Yield an initialization that fails, as JSON."""
    record = {"initializationType": "on-demand", "phase": "init", "status": "error", "errorType": error}
    yield at, stream, _platform(at, "platform.initReport", record | {"metrics": {"durationMs": 312.4}})


def _platform(at: float, kind: str, record: Mapping[str, object]) -> str:
    return json.dumps({"time": stamp(at), "type": kind, "record": record})
