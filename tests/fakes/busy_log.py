"""Ten minutes of a log with all kinds of trouble in it, and what a reader learns from a log."""

from __future__ import annotations

from typing import Any

from fakes import console_scene as scene
from fakes.logscene import init, run
from msgspec.structs import replace

from lambdatop.domain.log_analysis.reader import LogReader
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail, append_lines

WORKER = scene.key("function", "orders-worker")
FACTS = next(f.facts for f in scene.functions() if f.key == WORKER)
AT = scene.NOW


def busy() -> list[LogLine]:
    """Return ten minutes of trouble: seven kinds of errors, retries, timeouts, a secret in a message."""
    lines: list[LogLine] = []
    for n in range(40):
        at = AT - 500 + 10 * n
        lines += run(n, at, n % 4, says=("fine",), init_ms=180.0 if n % 10 == 0 else None, size_mb=256)
    for n in range(3):  # the same event, run three times
        lines += run(77, AT - 90 + 20 * n, n, says=("[ERROR] KeyError: 'customer'",), end="Status: error")
    lines += run(80, AT - 60, 1, end="Status: timeout")
    lines += run(81, AT - 50, 2, says=("[ERROR] OSError: [Errno 28] No space left on device",), used_mb=128)
    for n, word in enumerate(("alpha", "beta", "gamma", "delta")):
        lines += run(90 + n, AT - 40 + n, 3, says=(f"[ERROR] Error: {word} password=hunter2",))
    lines += [init(AT - 30, 9)]
    return sorted(lines, key=lambda n: n.at)


def tail(lines: list[LogLine], **fields: Any) -> LogTail:
    known = append_lines(LogTail("/aws/lambda/orders-worker", at=AT - 1), tuple(lines))
    return replace(known, **({"lag_s": 2.4, "coverage": 1.0} | fields))


def read(of: LogTail) -> LogReader:
    reader = LogReader()
    reader.offer(of)
    while reader.behind:
        reader.step()
    reader.summarize(FACTS, AT)
    return reader
