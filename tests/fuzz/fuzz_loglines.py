"""Log lines as functions may forge them, from the raw message to everything that is made of them.

An input is a list of events of one function: message, stream and seconds before now. They are parsed,
folded, and looked at by every detector; then the snapshot is written as JSON, as tables, as the audit report,
and shown as the function's page. Nothing may raise, and no section may be replaced by the sentence that it
could not be shown.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import NamedTuple

from fakes.worlds import NOW, SCOPE, WORKER, incident

from lambdatop.domain.log_analysis.reader import LogReader
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import World
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.report.text.snapshot import snapshot_text
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.style.spans import plain

NOT_SHOWN = "could not be shown"
WIDTHS = (40, 100, 200)
_FIGURES = (
    "0",
    "1",
    "3.00",
    "128",
    "812.27",
    "1000000",
    "1000001",
    "1e9",
    "1000000000",
    "1.7e308",
    "1e-300",
    "-1",
    "-0.0",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "1" + "0" * 330,
    "9" * 4001,
    "9" * 5000,
    "\u0661\u0662",
    "0x10",
    "1_000",
    "1e400",
    "",
    " ",
    "\u200b5",
    "5e-324",
    "true",
    "null",
    '"12"',
    "[1]",
    "{}",
    "0.1",
    "999999999999",
)
_KEYS = (
    "Duration",
    "Billed Duration",
    "Memory Size",
    "Max Memory Used",
    "Init Duration",
    "Restore Duration",
    "Billed Restore Duration",
    "Status",
    "Error Type",
    "XRAY TraceId",
    "Phase",
)
_STATUS = ("error", "timeout", "failure", "success", "Runtime.OutOfMemory", "Runtime.ExitError", "x" * 400)
_METRICS = (
    "durationMs",
    "billedDurationMs",
    "memorySizeMB",
    "maxMemoryUsedMB",
    "initDurationMs",
    "restoreDurationMs",
)
_TYPES = (
    "report",
    "start",
    "initReport",
    "initStart",
    "restoreReport",
    "restoreStart",
    "runtimeDone",
    "fault",
    "logsDropped",
    "end",
    "x",
)
_WORDS = (
    "[ERROR] ValueError: order 7 of password=hunter2",
    "Traceback (most recent call last):",
    '  File "/a.py", line 3, in x',
    "panic: x",
    "Task timed out after 3.00 seconds",
    "Task timed out after 99999.99 seconds",
    "Error: Runtime exited",
    "\x1b]52;c;aGk=\x07",
    "\x1b[31mred\x1b[m",
    "\u202e\u2066\u200b",
    "\x00\ud800",
    "[bold]x[/bold]",
    "signal: killed",
    "too many open files",
    "\r",
    "\t",
    "a\u0301" * 40,
    "\U0001d173\U000e0041",
    "\ue000\u3164",
    '{"_aws":{"Timestamp":1e400}}',
    "| a | b |",
    "# heading",
    "[x](mailto:x@evil)",
    "<script>",
    "%s%n",
    "{0}",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
)


class Event(NamedTuple):
    """One log event: what was printed, the environment's number, seconds before now."""

    message: str
    stream: int
    before_s: float


def make(rng: random.Random) -> tuple[Event, ...]:
    """Return two to sixty events, most of them reports with forged figures."""
    return tuple(
        Event(_message(rng), rng.randrange(3), rng.choice((0.0, 1.0, 30.0, 500.0, 900.0, -5.0)))
        for _ in range(rng.choice((2, 4, 8, 12, 20, 60)))
    )


def _message(rng: random.Random) -> str:
    request = f"{rng.randrange(4):08x}-0000-4000-8000-000000000000"
    sort = rng.random()
    if sort < 0.4:
        head = rng.choice((f"REPORT RequestId: {request}", "INIT_REPORT", "RESTORE_REPORT"))
        return head + "".join(_field(rng) for _ in range(rng.randrange(7)))
    if sort < 0.65:
        metrics = ",".join(f'"{rng.choice(_METRICS)}":{rng.choice(_FIGURES) or 0}' for _ in range(4))
        status = rng.choice(_STATUS)
        record = f'{{"requestId":"{request}","status":"{status}","metrics":{{{metrics}}}}}'
        return f'{{"type":"platform.{rng.choice(_TYPES)}","record":{record}}}'
    if sort < 0.75:
        return f"{rng.choice(('START', 'END'))} RequestId: {request} Version: $LATEST"
    if sort < 0.78:
        return "INIT_START Runtime Version: python:3.12.v39"
    if sort < 0.83:
        level = rng.choice(('"ERROR"', "50", "1e400", "-1", "[]", "9" * 5000))
        return f'{{"level":{level},"requestId":"{request}","message":{json.dumps(rng.choice(_WORDS))}}}'
    return "".join(rng.choice(_WORDS) for _ in range(rng.choice((1, 1, 2, 3))))


def _field(rng: random.Random) -> str:
    key = rng.choice(_KEYS)
    value = rng.choice(_STATUS) if key in ("Status", "Error Type", "Phase") else rng.choice(_FIGURES)
    unit = rng.choice((" ms", " MB", "", "\n"))
    space = rng.choice(("\t", " ", "  "))
    return f"{space}{key}: {value}{unit}"


@cache
def _world() -> World:
    return incident()


def snapshot_of(events: tuple[Event, ...]) -> Snapshot:
    """Return the real snapshot of the incident with these lines in one function's log."""
    lines = tuple(
        parse(NOW - e.before_s, f"e{n}", f"2027/01/15/[$LATEST]{e.stream:032x}", e.message)
        for n, e in enumerate(events)
    )
    seen = ev.LogsObserved(SCOPE, NOW, WORKER, "/aws/lambda/orders-worker", lines)
    return build_snapshot(
        fold_all(_world(), [seen]),
        previous=EMPTY_SNAPSHOT,
        at=NOW,
        version="1",
        mode="operator",
        settings=Settings(),
    )


def one(data: tuple[Event, ...]) -> int:
    """Make everything of these events that somebody may read; how many lines that were.

    Raises:
        AssertionError: a section was not shown, or the JSON is not strict.
    """
    snapshot = snapshot_of(data)
    document = snapshot_json(snapshot)
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    assert document["failed_sections"] == [], document["failed_sections"]
    texts = [text, snapshot_text(snapshot), report(snapshot, Asked("user", "host", Settings().mode))]
    frame = Frame(snapshot, NOW, None, Settings())
    reader = LogReader()
    reader.offer(snapshot.logs.get(WORKER))
    while reader.behind:
        reader.step()
    facts = next(f.facts for f in snapshot.functions if f.key == WORKER)
    reader.summarize(facts, NOW)
    width = WIDTHS[len(data) % len(WIDTHS)]
    texts.append(plain(page(frame, WORKER, width, reader.learned, reader.failure)))
    for made in texts:
        assert NOT_SHOWN not in made, made[max(0, made.index(NOT_SHOWN) - 200) :][:400]
        assert len(made) < 400_000, "a figure of hundreds of digits made it long"
    return len(data)
