"""What the log teaches, on the function's sheet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from fakes import console_scene as scene
from fakes.fake_console import Clock, FakeConsole
from fakes.logscene import init, line, rid, run
from fakes.screens import looking, press, settle, show, text
from fakes.time_limit import PATIENCE_S
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.pilot import Pilot

from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.pages.function_log import log_section
from lambdatop.tui.pages.log_reader import FRESH_S, PIECE, SHOWN, LogReader, worth_a_look
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import plain, width_of

MakeApp = Callable[..., LambdatopApp]
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


def with_tail(of: LogTail | None) -> Snapshot:
    return scene.snapshot(findings=(), logs=MappingProxyType({WORKER: of} if of else {}))


def read(of: LogTail) -> LogReader:
    reader = LogReader()
    reader.offer(of)
    while reader.behind:
        reader.step()
    reader.summarize(FACTS, AT)
    return reader


def section(of: LogTail, width: int = 90) -> str:
    return plain(log_section(of, read(of).learned, AT, width))


def test_the_section_says_what_the_log_teaches() -> None:
    shown = section(tail(busy()))
    for words in (
        "log  13:55:02 to 14:02:52, 196 lines by polling",
        "cold starts %             8.2",
        "environments                5",
        "proactive inits             1",
        "burn $/h exact        $0.0001",
        "reports                    49",
        "lag                        2s",
        "over the 10 min to 14:03:21; burn from billed durations, at list price",
        "errors by kind  9 errors in this log",
        "      3    89s    49s  KeyError: 'customer'",
        "and 2 more kinds",
        "requests  7 failed, 1 repeated, 47 in all",
        "and 2 more failed or repeated requests",
    ):
        assert words in shown, f"{words}\n{shown}"
    assert "hunter2" not in shown
    assert "password=•••" in shown
    known = section(tail([n for n in busy() if "password" not in n.text]))
    assert "      1    59s    59s  timeout  REPORT timeout" in known, known
    assert "disk full  OSError: [Errno 28] No space left on device" in known
    failed = shown.split("retries\n")[1].splitlines()
    assert failed[0].split() == [rid(77)[:8], "error", "100", "100", "60/128", "2"]
    assert failed[1].split()[:2] == [rid(93)[:8], "error"]


def test_what_was_not_read_is_not_called_empty() -> None:
    assert "not read yet" in plain(log_section(None, None, AT, 60))
    assert "not read yet" in plain(log_section(LogTail(), None, AT, 60))
    assert "no lines in what has been read" in plain(log_section(LogTail(at=AT), None, AT, 60))
    assert "none in this log" in section(tail(run(1, AT - 5)))


def test_figures_are_called_exact_only_as_far_as_they_are() -> None:
    some = run(1, AT - 5)
    assert "at least" not in section(tail(some))
    assert "40 % of Live Tail's updates whole" in section(tail(some, coverage=0.4))
    assert "the burn is at least that" in section(tail(some, coverage=0.4))
    assert "lines may be missing: the burn is at least that" in section(
        tail(some, coverage=None, complete=False)
    )
    free = '{"type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":5}}}'
    shown = section(tail([*some, line(AT - 4, free)]))
    assert "1 report of 2 without a billed time" in shown
    assert f"burn $/h exact              {fmt.UNKNOWN}" in section(tail([line(AT - 4, free)]))


def test_lines_that_came_too_fast_are_said() -> None:
    lines = tail([n for i in range(20) for n in run(i, AT - 60 + i)])
    reader = LogReader()
    reader.offer(replace(lines, lines=lines.lines[:10], next_seq=11))
    reader.step()
    reader.offer(replace(lines, lines=lines.lines[25:]))
    reader.step()
    reader.summarize(FACTS, AT)
    assert "15 lines came too fast to be counted here" in plain(log_section(lines, reader.learned, AT, 90))


@given(st.integers(40, 140))
def test_no_line_is_wider_than_the_page(width: int) -> None:
    of = tail(busy(), coverage=0.5)
    rows: list[list[Any]] = [[]]
    for piece in log_section(of, BUSY.learned, AT, width):
        parts = piece.text.split("\n")
        rows[-1].append(piece._replace(text=parts[0]))
        rows += [[piece._replace(text=part)] for part in parts[1:]]
    for row in rows:
        assert width_of(row) <= max(width, 57), plain(row)


BUSY = read(tail(busy(), coverage=0.5))


def test_a_long_tail_is_taken_in_pieces_and_summed_up_now_and_then() -> None:
    lines = [n for i in range(3 * PIECE) for n in run(i, AT - 300 + i / 10)]
    whole = tail(lines)
    reader = LogReader()
    reader.offer(whole)
    steps = 0
    while reader.behind:
        reader.step()
        steps += 1
    assert steps == len(lines) // PIECE
    assert reader.summarize(FACTS, AT)
    assert reader.learned is not None
    assert reader.learned.lines == len(lines)
    assert not reader.summarize(FACTS, AT + FRESH_S)  # no news
    reader.offer(append_lines(whole, tuple(run(9999, AT))))
    reader.step()
    assert not reader.summarize(FACTS, AT + FRESH_S / 2)  # not due
    assert reader.summarize(FACTS, AT + FRESH_S)
    assert reader.learned.lines == len(lines) + 3


def test_the_first_piece_is_shown_at_once_and_the_whole_as_soon_as_it_is_there() -> None:
    lines = [n for i in range(PIECE) for n in run(i, AT - 300 + i)]
    reader = LogReader()
    reader.offer(tail(lines))
    seen = []
    while reader.behind:
        reader.step()
        if reader.summarize(FACTS, AT) and reader.learned is not None:
            seen.append(reader.learned.lines)
    assert seen == [PIECE, 3 * PIECE]


def test_a_tail_that_begins_anew_is_learned_anew() -> None:
    reader = read(tail(busy()))
    reader.offer(tail(run(1, AT)))
    assert reader.behind
    reader.step()
    assert reader.summarize(FACTS, AT + FRESH_S)
    assert reader.learned is not None
    assert (reader.learned.lines, reader.learned.errors) == (3, 0)


def test_failed_and_repeated_requests_come_before_slow_ones() -> None:
    assert BUSY.learned is not None
    found = worth_a_look(BUSY.learned.requests)
    assert [r.request_id for r in found] == [rid(77), rid(93), rid(92), rid(91), rid(90)]
    assert len(BUSY.learned.requests) == len(BUSY.learned.kinds) == SHOWN


async def filled(pilot: Pilot[None], screen: FunctionScreen) -> None:
    """Wait until the sheet has read the whole log."""
    async with asyncio.timeout(PATIENCE_S):
        while screen._reader.behind:
            await pilot.pause(0.01)
    await settle(pilot)


async def test_the_sheet_shows_it_and_scrolls_on_a_small_terminal(
    make_app: MakeApp, console: FakeConsole
) -> None:
    console.snapshot = with_tail(tail(busy()))
    app = make_app()
    async with looking(app, (80, 24)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, FunctionScreen)
        await filled(pilot, app.screen)
        seen = text(app)
        for _ in range(5):
            await press(pilot, "pagedown")
            seen += text(app)
        for words in ("burn $/h exact", "errors by kind", "0000004d  error"):
            assert words in seen


async def test_the_sheet_of_a_long_tail_fills_up_by_itself(
    make_app: MakeApp, console: FakeConsole, clock: Clock
) -> None:
    lines = [n for i in range(PIECE) for n in run(i, AT - 300 + i)]
    console.snapshot = with_tail(tail(lines))
    app = make_app()
    async with looking(app, (160, 60)) as pilot:
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, FunctionScreen)
        await filled(pilot, screen)
        assert f"{3 * PIECE} lines by polling" in text(app)
        # News while it stands there.
        clock.at += FRESH_S
        show(app, console, with_tail(tail([*lines, *run(9999, AT, says=("[ERROR] Error: news",))])))
        await settle(pilot)
        assert f"{3 * PIECE + 4} lines by polling" in text(app)
        assert "Error: news" in text(app)


async def test_a_function_without_a_tail_has_a_sheet_too(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = with_tail(None)
    app = make_app()
    async with looking(app, (160, 60)) as pilot:
        await press(pilot, "enter")
        assert "not read yet" in text(app)


async def test_evidence_in_words_is_not_cut_to_a_number(make_app: MakeApp, console: FakeConsole) -> None:
    words = "TimeoutError: <str> took # s of a long story"
    told = tuple(
        replace(f, evidence=(*f.evidence, ("most_frequent_failure", words)))
        for f in scene.snapshot().findings
    )
    console.snapshot = replace(scene.snapshot(), findings=told)
    app = make_app()
    async with looking(app, (160, 60)) as pilot:
        await press(pilot, "enter")
        assert f"most_frequent_failure    {words[:40]}" in text(app)
