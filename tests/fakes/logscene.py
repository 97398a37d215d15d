"""Log lines as Lambda writes them, parsed by the real parser, for detectors that read the log."""

from __future__ import annotations

from collections.abc import Iterable

from fakes.worlds import NOW, SCOPE, WORKER

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.state import events as ev


def stream(n: int) -> str:
    return f"2027/01/15/[$LATEST]{n:032x}"


def rid(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


def line(at: float, text: str, env: int = 0) -> LogLine:
    """Return one line of environment `env`; the same line always has the same id."""
    return parse(at, f"{env}|{at}|{text}", stream(env), text)


def init(at: float, env: int = 0) -> LogLine:
    return line(
        at,
        "INIT_START Runtime Version: python:3.12.v39\tRuntime Version ARN: arn:aws:lambda:x::runtime:y",
        env,
    )


def run(
    n: int,
    at: float,
    env: int = 0,
    *,
    says: tuple[str, ...] = (),
    init_ms: float | None = None,
    used_mb: int = 60,
    size_mb: int = 128,
    end: str = "",
) -> list[LogLine]:
    """Return one execution that takes 100 ms; `end` is appended to its REPORT ("Status: timeout")."""
    report = [
        f"REPORT RequestId: {rid(n)}",
        "Duration: 100.00 ms",
        "Billed Duration: 100 ms",
        f"Memory Size: {size_mb} MB",
        f"Max Memory Used: {used_mb} MB",
    ]
    report += [f"Init Duration: {init_ms:.2f} ms"] if init_ms is not None else []
    report += [end] if end else []
    return [
        line(at, f"START RequestId: {rid(n)} Version: $LATEST", env),
        *(line(at + 0.05, text, env) for text in says),
        line(at + 0.1, f"END RequestId: {rid(n)}", env),
        line(at + 0.1, "\t".join(report) + "\t", env),
    ]


def logs(
    *parts: LogLine | Iterable[LogLine], key: Key = WORKER, at: float = NOW, complete: bool = True
) -> ev.LogsObserved:
    """Return the event of one read of the log."""
    lines: list[LogLine] = []
    for part in parts:
        lines += [part] if isinstance(part, LogLine) else list(part)
    gap = "" if complete else "lines are missing"
    return ev.LogsObserved(SCOPE, at, key, "/aws/lambda/orders-worker", tuple(lines), complete, gap)
