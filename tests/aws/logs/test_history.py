"""Older pages of logs: every line once, however dense, whatever the server can do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

import pytest
from fakes.aws_doubles import SCOPE
from fakes.log_shelf import STREAM, Event, Shelf, line
from fakes.wire_stub import Fault, WireStub
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatop.aws.logs import history as log_history
from lambdatop.aws.logs.history import LogHistory
from lambdatop.domain.errors import Denied, Throttled
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.tail import MS_S, Older

from ..conftest import MakeBench

NOW = 1_800_000_000.0
NOW_MS = int(NOW * 1000)
MINUTE = 60_000


def facts(name: str, group: str = "") -> FunctionFacts:
    return FunctionFacts(Key(SCOPE, "function", name), "arn", log_group=group or f"/aws/lambda/{name}")


F = facts("f")


async def walked(history: LogHistory, *functions: FunctionFacts, most: int = 1000) -> list[Older]:
    """Ask until there is nothing older."""
    before, pages = NOW, []
    for _ in range(most):
        page = await history.older(functions, before, ())
        assert page.since <= before + 2 * MS_S
        assert all(page.since <= at.at <= before for _, at in page.lines)
        assert [at.at for _, at in page.lines] == sorted(at.at for _, at in page.lines)
        pages.append(page)
        if page.end:
            return pages
        before = page.before
    raise AssertionError("it never ends")


def texts(pages: Iterable[Older]) -> list[str]:
    """Return the texts, oldest first."""
    return [at.text for page in reversed(list(pages)) for _, at in page.lines]


gaps = st.lists(
    st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 2000), st.integers(0, 2 * MINUTE)), max_size=80
)


@settings(max_examples=100, deadline=None)
@given(
    gaps=gaps,
    second=gaps,
    most=st.integers(1, 12),
    descends=st.booleans(),
    hollow=st.sampled_from((0, 0, 2, 3, 7)),
    lines=st.integers(2, 12),
)
def test_asking_again_and_again_walks_through_every_line_once(
    gaps: list[int], second: list[int], most: int, descends: bool, hollow: int, lines: int
) -> None:
    def log(back: list[int], first: int) -> list[Event]:
        return [line(first - n, NOW_MS - ago) for n, ago in enumerate(accumulate(back))]

    groups = {"/aws/lambda/f": log(gaps, 10_000), "/aws/lambda/g": log(second, 20_000)}
    oldest = min((e["timestamp"] for events in groups.values() for e in events), default=NOW_MS)
    shelf = Shelf(groups, now=NOW, created_ms=oldest, most=most, descends=descends, hollow=hollow)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_history, "PAGE_LINES", lines)
        patch.setattr(log_history, "LEAST_LINES", 2)
        patch.setattr(log_history, "MOST_REQUESTS", 1000)
        pages = asyncio.run(walked(LogHistory(shelf), F, facts("g")))
    written = [event["message"] for events in groups.values() for event in events]
    assert Counter(texts(pages)) == Counter(written)
    for name, group in groups.items() if descends else ():
        # Lines of one millisecond keep the order in which they were written.
        mine = {event["message"] for event in group}
        assert [t for t in texts(pages) if t in mine] == [e["message"] for e in shelf.groups[name]]


async def test_one_busy_log_takes_a_few_requests_a_page() -> None:
    busy = [line(n, NOW_MS - 10 * n) for n in range(20_000)]
    for descends in (True, False):
        shelf = Shelf({"/aws/lambda/f": busy}, now=NOW, created_ms=NOW_MS - 200_000, descends=descends)
        history = LogHistory(shelf)
        page = await history.older([F], NOW, ())
        assert 500 <= len(page.lines) <= 2 * log_history.PAGE_LINES
        assert len(shelf.asked()) <= log_history.REQUESTS
        pages = await walked(history, F)
        assert len(texts(pages)) == 20_000
        assert max(Counter(len(p.lines) for p in pages)) <= 2 * log_history.PAGE_LINES


async def test_a_silent_log_is_walked_in_growing_steps_to_its_creation() -> None:
    days = 86_400_000
    shelf = Shelf({"/aws/lambda/f": [line(1, NOW_MS - 30 * days)]}, now=NOW, created_ms=NOW_MS - 30 * days)
    pages = await walked(LogHistory(shelf), F)
    assert texts(pages) == ["line 1"]
    assert len(pages) <= 8
    widths = [p["endTime"] - p["startTime"] + 1 for p in shelf.asked()]
    assert widths[:3] == [60_000, 240_000, 960_000]
    assert max(widths) == 86_400_000
    assert len(shelf.asked("DescribeLogGroups")) == 1


async def test_lines_of_the_first_execution_are_older_than_the_group() -> None:
    shelf = Shelf({"/aws/lambda/f": [line(1, NOW_MS - 5 * MINUTE)]}, now=NOW, created_ms=NOW_MS - 3 * MINUTE)
    assert texts(await walked(LogHistory(shelf), F)) == ["line 1"]


async def test_nothing_is_looked_for_beyond_the_retention() -> None:
    shelf = Shelf({"/aws/lambda/f": []}, now=NOW, created_ms=NOW_MS - 900 * 86_400_000, retention_days=1)
    pages = await walked(LogHistory(shelf), F)
    assert pages[-1].end
    assert min(p["startTime"] for p in shelf.asked()) == NOW_MS - 86_400_000


async def test_a_log_that_does_not_exist_has_ended() -> None:
    shelf = Shelf({"/aws/lambda/f-longer": []}, now=NOW, created_ms=0)
    page = await LogHistory(shelf).older([F], NOW, ())
    assert (page.lines, page.end, page.note) == ((), True, "")
    assert shelf.asked() == []


async def test_who_may_not_describe_reads_and_is_told() -> None:
    shelf = Shelf({"/aws/lambda/f": [line(1, NOW_MS - 5)]}, now=NOW, created_ms=0)
    shelf.undescribed = True
    page = await LogHistory(shelf).older([F], NOW, ())
    assert [at.text for _, at in page.lines] == ["line 1"]
    assert not page.end
    assert "DescribeLogGroups is denied" in page.note


async def test_before_2024_it_does_not_ask_for_the_newest_first() -> None:
    old = log_history.NEWEST_FIRST_FROM_MS
    shelf = Shelf(
        {"/aws/lambda/f": [line(1, old - 5), line(2, old + 5)]}, now=NOW, created_ms=old - 30 * MINUTE
    )
    history = LogHistory(shelf)
    page = await history.older([F], old / 1000 + 30, ())
    assert [at.text for _, at in page.lines] == ["line 1", "line 2"]
    assert page.end
    for params in shelf.asked():
        assert ("startFromHead" in params) == (params["startTime"] >= old)


async def test_the_slowest_function_says_how_far_back_the_answer_goes() -> None:
    calm = [line(n, NOW_MS - MINUTE * n) for n in range(50)]
    busy = [line(1000 + n, NOW_MS - n) for n in range(30_000)]
    shelf = Shelf({"/aws/lambda/f": calm, "/aws/lambda/g": busy}, now=NOW, created_ms=NOW_MS - 60 * MINUTE)
    history = LogHistory(shelf)
    page = await history.older([F, facts("g")], NOW, ())
    assert NOW - 3 < page.since < NOW
    assert {key.id for key, _ in page.lines} == {"f", "g"}
    assert sum(p["logGroupName"] == "/aws/lambda/f" for p in shelf.asked()) <= 3
    assert len(texts(await walked(history, F, facts("g")))) == 30_050


async def test_a_millisecond_with_more_than_a_page_is_read_to_its_end() -> None:
    same = [line(0, NOW_MS - 80), *(line(n, NOW_MS - 50) for n in range(1, 15_000))]
    for descends in (True, False):
        shelf = Shelf({"/aws/lambda/f": same}, now=NOW, created_ms=NOW_MS - MINUTE, descends=descends)
        assert texts(await walked(LogHistory(shelf), F)) == [e["message"] for e in same]


async def test_more_than_may_be_read_of_one_millisecond_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_history, "MOST_REQUESTS", 7)
    shelf = Shelf(
        {"/aws/lambda/f": [line(n, NOW_MS - 50) for n in range(20_000)]}, now=NOW, created_ms=NOW_MS
    )
    pages = await walked(LogHistory(shelf), F)
    assert len(texts(pages)) < 20_000
    assert any("some are missing" in page.note for page in pages)


async def test_equal_lines_stay() -> None:
    shelf = Shelf(
        {"/aws/lambda/f": [line(n, NOW_MS - 5, "twin") for n in range(3)]}, now=NOW, created_ms=NOW_MS
    )
    assert texts(await walked(LogHistory(shelf), F)) == ["twin"] * 3


async def test_a_shared_group_is_told_apart_by_stream() -> None:
    streams = ("2027/01/15/f[$LATEST]00", "2027/01/15/g[1]00", "2027/01/15/h[1]00", "somebody")
    group = [line(n, NOW_MS - n, stream=stream) for n, stream in enumerate(streams)]
    shelf = Shelf({"/shared": group}, now=NOW, created_ms=NOW_MS)
    one = await LogHistory(shelf).older([facts("f", "/shared")], NOW, {"/shared"})
    assert [(key.id, at.text) for key, at in one.lines] == [("f", "line 0")]
    assert "1 lines of streams that name no function" in one.note
    shelf.calls.clear()
    both = await LogHistory(shelf).older([facts("f", "/shared"), facts("g", "/shared")], NOW, ())
    assert [(key.id, at.text) for key, at in both.lines] == [("g", "line 1"), ("f", "line 0")]
    assert len({p["endTime"] for p in shelf.asked()}) == len(shelf.asked())


async def test_what_aws_refuses_comes_out_as_it_is() -> None:
    shelf = Shelf({"/aws/lambda/f": []}, now=NOW, created_ms=0)
    shelf.failure = Throttled("too fast")
    with pytest.raises(Throttled, match="too fast"):
        await LogHistory(shelf).older([F], NOW, ())


@pytest.mark.sdk
async def test_over_the_wire(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    described = {"logGroups": [{"logGroupName": F.log_group, "creationTime": NOW_MS - 2 * MINUTE}]}
    hostile = line(1, NOW_MS - 10, "\x1b[31mred\n")
    stub.on("logs", "DescribeLogGroups", described)
    stub.on(
        "logs",
        "FilterLogEvents",
        {"events": [line(2, NOW_MS - 5), hostile], "searchedLogStreams": []},
        {"events": []},
    )
    page = await LogHistory(made.api).older([F], NOW, ())
    assert [at.text for _, at in page.lines] == ["red", "line 2"]
    assert [at.stream for _, at in page.lines] == [STREAM, STREAM]
    first, second = stub.calls("FilterLogEvents")[:2]
    assert first == {
        "logGroupName": F.log_group,
        "startTime": NOW_MS - MINUTE + 1,
        "endTime": NOW_MS,
        "limit": log_history.PAGE_LINES,
        "startFromHead": False,
    }
    assert second["endTime"] == first["startTime"] - 1
    assert made.limiter.taken.count("logs") == made.meter.calls["logs.FilterLogEvents"] + 1


@pytest.mark.sdk
async def test_refusals_over_the_wire(stub: WireStub, bench: MakeBench) -> None:
    described = {"logGroups": [{"logGroupName": F.log_group, "creationTime": NOW_MS - 2 * MINUTE}]}
    stub.on("logs", "DescribeLogGroups", described)
    stub.on("logs", "FilterLogEvents", Fault("AccessDeniedException"))
    with pytest.raises(Denied, match="FilterLogEvents"):
        await LogHistory(bench(at=NOW).api).older([F], NOW, ())
    stub.on("logs", "FilterLogEvents", Fault("ResourceNotFoundException"))
    assert (await LogHistory(bench(at=NOW).api).older([F], NOW, ())).end
