"""What the log teaches, on the function's sheet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from fakes import console_scene as scene
from fakes.busy_log import AT, FACTS, WORKER, busy, read, tail
from fakes.fake_console import Clock, FakeConsole
from fakes.logscene import line, rid, run
from fakes.screens import press, settle, show, started, text
from fakes.time_limit import PATIENCE_S
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.pilot import Pilot

from lambdatop.domain.log_analysis.reader import FRESH_S, PIECE, LogReader
from lambdatop.domain.log_analysis.tenants import TenantRequests
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.pages.function_log import log_section
from lambdatop.tui.screens.function import FunctionScreen
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import plain, width_of

MakeApp = Callable[..., LambdatopApp]


def with_tail(of: LogTail | None) -> Snapshot:
    return scene.snapshot(findings=(), logs=MappingProxyType({WORKER: of} if of else {}))


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
    async with started(app, (80, 24)) as pilot:
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
    async with started(app, (160, 60)) as pilot:
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
    async with started(app, (160, 60)) as pilot:
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
    async with started(app, (160, 60)) as pilot:
        await press(pilot, "enter")
        assert f"most_frequent_failure    {words[:40]}" in text(app)


TRACE = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700"


def traced(number: int) -> LogTail:
    report = f"REPORT RequestId: {rid(number)}\tDuration: 3 ms\tBilled Duration: 3 ms\tXRAY TraceId: {TRACE}"
    return tail([line(AT - 5, f"START RequestId: {rid(number)} Version: 1"), line(AT - 4, report)])


def test_a_request_that_x_ray_has_a_trace_of_leads_there() -> None:
    learned = read(traced(1)).learned
    pieces = log_section(traced(1), learned, AT, 130, link=lambda trace: f"https://x/{trace}")
    assert [(p.text, p.link) for p in pieces if p.link] == [(TRACE, f"https://x/{TRACE}")]
    assert not [p for p in log_section(traced(1), learned, AT, 80) if p.link], (
        "it leaves when there is no room"
    )
    assert TRACE in section(traced(1), 130), "and can be read without a link"
    assert "trace" not in section(tail(run(1, AT - 5)), 130)


def test_the_page_links_traces_of_aws_and_none_of_another_server() -> None:
    for endpoint, links in (("", 1), ("http://127.0.0.1:4566", 0)):
        target = replace(scene.snapshot().targets[0], endpoint=endpoint)
        frame = Frame(replace(with_tail(traced(1)), targets=(target,)), AT)
        found = [p.link for p in page(frame, WORKER, 130, read(traced(1)).learned) if p.link]
        region = WORKER.scope.region
        want = f"https://console.aws.amazon.com/cloudwatch/home?region={region}#xray:traces/{TRACE}"
        assert found == [want] * links


def test_tenants_with_their_failures_are_shown_and_a_log_without_tenants_says_why() -> None:
    learned = read(traced(1)).learned
    assert learned is not None
    mine = (TenantRequests("red", 9, 3, 0.75), TenantRequests("", 2, 1, 0.25))
    shown = plain(log_section(traced(1), replace(learned, tenants=mine, tenant_count=2), AT, 90))
    assert "tenants  2 tenants in the requests of this log" in shown
    lines = [text.split() for text in shown.splitlines()]
    assert ["9", "3", "75", "red"] in lines
    assert ["2", "1", "25", "not", "known"] in lines
    untold = replace(learned, tenants=mine[1:], tenant_count=1)
    assert "only JSON logs do" in plain(log_section(traced(1), untold, AT, 90))
    assert "tenant" not in section(traced(1))
