"""The lines that Lambda itself writes around a function's output. Pure; shapes as in the text log format."""

from __future__ import annotations

import hashlib
import math

# The newest patch level of each runtime that was seen when this was written; it is only ever shown.
_PATCH = {
    "python3.11": "v62",
    "python3.12": "v39",
    "python3.13": "v18",
    "nodejs20.x": "v58",
    "nodejs22.x": "v41",
}


def init_start(runtime: str, region: str) -> str:
    """Return the line that announces a new environment."""
    name = runtime.replace("python", "python:").replace("nodejs", "nodejs:").removesuffix(".x")
    digest = hashlib.sha256(runtime.encode()).hexdigest()
    return (
        f"INIT_START Runtime Version: {name}.{_PATCH.get(runtime, 'v1')}"
        f"\tRuntime Version ARN: arn:aws:lambda:{region}::runtime:{digest}"
    )


def start(request_id: str, version: str) -> str:
    """Return the line before a function's own."""
    return f"START RequestId: {request_id} Version: {version}"


def end(request_id: str) -> str:
    """Return the line after a function's own."""
    return f"END RequestId: {request_id}"


def report(
    request_id: str,
    *,
    duration_ms: float,
    init_ms: float | None,
    memory_size_mb: int,
    memory_used_mb: int,
    status: str = "",
    error_type: str = "",
) -> str:
    """Return the REPORT line. ``init_ms`` is billed and only present on a cold start."""
    billed = math.ceil(duration_ms + (init_ms or 0.0))
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_size_mb} MB",
        f"Max Memory Used: {memory_used_mb} MB",
    ]
    if init_ms is not None:
        fields.append(f"Init Duration: {init_ms:.2f} ms")
    if status:
        fields.append(f"Status: {status}")
    if error_type:
        fields.append(f"Error Type: {error_type}")
    return "\t".join(fields) + "\t"


def error(kind: str, message: str, trace: tuple[str, ...]) -> str:
    """Return an unhandled exception as AWS's Python runtime logs it: one event, traceback included."""
    head = f"[ERROR] {kind}: {message}"
    return (
        head if not trace else f"{head}\nTraceback (most recent call last):\n" + "".join(trace).rstrip("\n")
    )
