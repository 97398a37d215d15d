"""The log tail: late, doubled, shared, endless and hostile lines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Fault, Hang, WireStub

from lambdatop.aws.logs import collector as logs
from lambdatop.aws.logs import tail_state
from lambdatop.aws.logs.collector import LogsSource
from lambdatop.domain.errors import Denied, Throttled
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed, GapsObserved, LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

NOW = 1_800_000_000.0
STREAM = "2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef"
F = Key(SCOPE, "function", "f")


def event(id_: str, at: float, message: str = "hello", stream: str = STREAM) -> dict[str, Any]:
    return {"eventId": id_, "timestamp": int(at * 1000), "message": message, "logStreamName": stream}


def page(*events: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return {"events": list(events)} | ({"nextToken": token} if token else {})


def _view(bench: Bench, groups: dict[str, str], *watched: str) -> View:
    functions = tuple(
        FunctionFacts(Key(SCOPE, "function", n), "arn", log_group=group) for n, group in groups.items()
    )
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, functions),))
    return bench.view(world, *(Key(SCOPE, "function", n) for n in watched))


class Reading:
    """One source on a hand-set clock, reading `f` again and again."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.source = LogsSource(bench.api, SCOPE)
        self.groups = {"f": "/aws/lambda/f"}
        self.gaps: tuple[Gap, ...] | None = None

    async def at(self, now: float, *watched: str) -> Any:
        self.bench.clock.at = now
        told = await self.source.collect(_view(self.bench, self.groups, *(watched or ("f",))))
        self.gaps = next((e.gaps for e in told if isinstance(e, GapsObserved)), None)
        events = tuple(e for e in told if not isinstance(e, GapsObserved))
        assert all(isinstance(e, LogsObserved) for e in events)
        return events[0] if len(events) == 1 else events


@pytest.fixture
def reading(bench: MakeBench) -> Reading:
    return Reading(bench(at=NOW))


async def test_nobody_watched_nothing_asked(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    assert await LogsSource(made.api, SCOPE).collect(made.view()) == ()
    assert stub.received == []


async def test_the_first_round_asks_for_the_newest_of_ten_minutes(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("2", NOW - 1), event("1", NOW - 2)))
    seen = await reading.at(NOW)
    (params,) = stub.calls("FilterLogEvents")
    assert params["logGroupName"] == "/aws/lambda/f"
    assert params["startTime"] == int((NOW - 600) * 1000)
    assert params["startFromHead"] is False
    assert [line.event_id for line in seen.lines] == ["1", "2"]
    assert (seen.complete, seen.gap, seen.group) == (True, "", "/aws/lambda/f")


async def test_lines_are_numbered_on_so_that_the_fold_need_not(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    source, view = LogsSource(made.api, SCOPE), _view(made, {"f": "/aws/lambda/f"}, "f")
    stub.on("logs", "FilterLogEvents", page(event("1", NOW - 2), event("2", NOW - 1)), page(event("3", NOW)))
    first = await source.collect(view)
    view = made.view(fold_all(view.world, first), F)
    second = await source.collect(view)
    world = fold_all(view.world, second)
    observed = [e for e in (*first, *second) if isinstance(e, LogsObserved)]
    assert [[line.seq for line in e.lines] for e in observed] == [[1, 2], [3]]
    assert world.logs[F].lines == (*observed[0].lines, *observed[1].lines)


async def test_a_long_backfill_stops_at_the_newest_and_says_so(stub: WireStub, reading: Reading) -> None:
    stub.on(
        "logs",
        "FilterLogEvents",
        page(event("4", NOW - 1), event("3", NOW - 2), token="a"),
        page(event("2", NOW - 3), event("1", NOW - 4), token="b"),
        page(event("5", NOW + 1)),
    )
    seen = await reading.at(NOW)
    assert [line.event_id for line in seen.lines] == ["1", "2", "3", "4"]
    assert not seen.complete
    assert "newest 4 lines" in seen.gap
    seen = await reading.at(NOW + 5)
    assert [line.event_id for line in seen.lines] == ["5"]
    assert seen.complete
    assert "nextToken" not in stub.calls("FilterLogEvents")[-1]


async def test_lines_of_one_millisecond_keep_their_order_when_read_backwards(
    stub: WireStub, reading: Reading
) -> None:
    stub.on(
        "logs",
        "FilterLogEvents",
        page(event("5", NOW - 1), event("4", NOW - 2), event("3", NOW - 2), token="a"),
        page(event("2", NOW - 2), event("1", NOW - 3)),
    )
    seen = await reading.at(NOW)
    assert [line.event_id for line in seen.lines] == ["1", "2", "3", "4", "5"]


async def test_late_lines_are_neither_lost_nor_doubled(stub: WireStub, reading: Reading) -> None:
    one, late, two = event("1", NOW - 1), event("late", NOW - 40), event("2", NOW + 2)
    stub.on("logs", "FilterLogEvents", page(one), page(late, one, two), page(late, one, two))
    assert [line.event_id for line in (await reading.at(NOW)).lines] == ["1"]
    assert [line.event_id for line in (await reading.at(NOW + 5)).lines] == ["late", "2"]
    assert (await reading.at(NOW + 10)).lines == ()
    starts = [p["startTime"] for p in stub.calls("FilterLogEvents")]
    assert starts[1] <= (NOW - 40) * 1000


async def test_a_fast_log_is_not_read_twice_over(stub: WireStub, reading: Reading) -> None:
    many = [event(str(i), NOW - 50 + i / 200) for i in range(10_000)]
    stub.on("logs", "FilterLogEvents", page(*reversed(many)), page())
    await reading.at(NOW)
    await reading.at(NOW + 5)
    newest = many[-1]["timestamp"]
    assert 10_000 <= newest - stub.calls("FilterLogEvents")[1]["startTime"] < 20_000


async def test_ids_are_forgotten_when_no_window_can_bring_them_again(
    stub: WireStub, reading: Reading
) -> None:
    stub.on("logs", "FilterLogEvents", *(page(event(str(i), NOW + i * 100)) for i in range(30)))
    for i in range(30):
        await reading.at(NOW + i * 100)
    assert len(reading.source._tails[F].seen) <= 2


async def test_a_page_again_counts_once_without_all_ids_being_kept(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("0", NOW - 5)))
    await reading.at(NOW)
    pages = [page(event(str(i), NOW + i), token=f"t{i}") for i in range(1, 7)]
    stub.on("logs", "FilterLogEvents", *(each for one in pages for each in (one, one)))
    seen = await reading.at(NOW + 10)
    assert [line.event_id for line in seen.lines] == ["1", "2", "3", "4", "5"]
    head = reading.source._tails[F].head
    assert head is not None
    assert len(head.ids | head.ids_before) <= 2


async def test_empty_pages_are_followed(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("1", NOW - 5)))
    await reading.at(NOW)
    stub.on("logs", "FilterLogEvents", page(token="a"), page(token="b"), page(event("2", NOW + 1)))
    seen = await reading.at(NOW + 5)
    assert [line.event_id for line in seen.lines] == ["2"]
    assert seen.complete
    assert [p.get("nextToken") for p in stub.calls("FilterLogEvents")] == [None, None, "a", "b"]


async def test_a_page_that_fails_loses_nothing(stub: WireStub, reading: Reading) -> None:
    one, two, three = event("1", NOW - 9), event("2", NOW + 1), event("3", NOW + 2)
    stub.on("logs", "FilterLogEvents", page(one))
    await reading.at(NOW)
    stub.on("logs", "FilterLogEvents", page(one, two, token="a"), Fault("ThrottlingException"))
    seen = await reading.at(NOW + 5)
    assert [line.event_id for line in seen.lines] == ["2"]
    assert "throttled" in seen.gap
    with pytest.raises(Throttled):
        await reading.at(NOW + 10)
    stub.on("logs", "FilterLogEvents", page(one, two, three))
    seen = await reading.at(NOW + 15)
    assert ([line.event_id for line in seen.lines], seen.gap) == (["3"], "")
    assert stub.calls("FilterLogEvents")[-1]["nextToken"] == "a"


async def test_a_bounded_round_goes_on_where_it_stopped(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("0", NOW - 5)))
    await reading.at(NOW)
    pages = [page(event(f"p{i}", NOW + i), token=f"t{i}") for i in range(logs.PAGES)]
    stub.on("logs", "FilterLogEvents", *pages, page(event("last", NOW + 9)))
    seen = await reading.at(NOW + 10)
    assert len(seen.lines) == logs.PAGES
    assert not seen.complete
    assert "next round" in seen.gap
    seen = await reading.at(NOW + 15)
    assert [line.event_id for line in seen.lines] == ["last"]
    assert seen.complete
    assert stub.calls("FilterLogEvents")[-1]["nextToken"] == f"t{logs.PAGES - 1}"


async def test_a_log_that_outruns_us_is_caught_up_with_and_says_so(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("0", NOW - 5)))
    await reading.at(NOW)
    count = iter(range(10_000))

    def endless(_: dict[str, Any]) -> dict[str, Any]:
        i = next(count)
        return page(event(f"e{i}", NOW + i / 1000), token=f"t{i}")

    stub.on("logs", "FilterLogEvents", endless)
    for i in range(1, tail_state.BEHIND_ROUNDS + 1):
        await reading.at(NOW + 100 * i)
    seen = await reading.at(NOW + 1000)
    assert "990 s of it, about 40,000 lines at its pace, were skipped" in seen.gap
    fresh = [p for p in stub.calls("FilterLogEvents") if "nextToken" not in p][-1]
    assert fresh["startTime"] >= (NOW + 900) * 1000


async def test_a_function_watched_again_says_what_was_not_read(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", page(event("1", NOW - 5)), page())
    await reading.at(NOW)
    seen = await reading.at(NOW + 1000)
    assert "400 s" in seen.gap
    assert not seen.complete


async def test_a_missing_group_is_a_sentence(stub: WireStub, reading: Reading) -> None:
    stub.on("logs", "FilterLogEvents", Fault("ResourceNotFoundException"))
    seen = await reading.at(NOW)
    assert seen.lines == ()
    assert "/aws/lambda/f does not exist" in seen.gap


async def test_a_denied_group_does_not_silence_the_others(stub: WireStub, reading: Reading) -> None:
    reading.groups = {"f": "/aws/lambda/f", "g": "/private"}

    def answer(params: dict[str, Any]) -> Any:
        return Fault("AccessDeniedException") if params["logGroupName"] == "/private" else page()

    stub.on("logs", "FilterLogEvents", answer)
    assert (await reading.at(NOW, "f", "g")).function == F
    assert reading.gaps == (Gap("logs", "logs:FilterLogEvents", "g", "denied"),)
    await reading.at(NOW, "f", "g")
    assert reading.gaps is None, "told once"
    await reading.at(NOW, "f")
    assert reading.gaps == (), "nobody wants to read it any more"
    with pytest.raises(Denied, match="logs:FilterLogEvents"):
        await reading.at(NOW, "g")


async def test_a_shared_group_is_split_by_stream(stub: WireStub, reading: Reading) -> None:
    reading.groups = {"f": "/shared", "g": "/shared"}
    ours, theirs = "2027/01/15/f[$LATEST]" + "0" * 32, "2027/01/15/g[7][" + "1" * 32 + "]"
    stub.on(
        "logs",
        "FilterLogEvents",
        page(
            event("1", NOW, stream=ours),
            event("2", NOW, stream=theirs),
            event("3", NOW, stream="custom/stream"),
        ),
    )
    f, g = await reading.at(NOW, "f", "g")
    assert [line.event_id for line in f.lines] == ["1"]
    assert [line.event_id for line in g.lines] == ["2"]
    assert "1 lines of streams that name no function" in f.gap


async def test_a_traceback_is_one_line_and_hostile_text_is_harmless(stub: WireStub, reading: Reading) -> None:
    trace = "[ERROR] ValueError: no\nTraceback (most recent call last):\n  File x\x1b[2J\u202e\x07"
    evil = event("id\x1b[31m", NOW, trace, "stream\x1b]0;x\x07")
    stub.on("logs", "FilterLogEvents", page(evil))
    (line,) = (await reading.at(NOW)).lines
    assert line.kind == "error"
    assert line.text.count("\n") == 2
    assert not any(c in line.text + line.stream + line.event_id for c in "\x1b\x07\u202e")


async def test_a_round_that_is_given_up_leaves_its_lines_to_the_next(
    stub: WireStub, reading: Reading
) -> None:
    reading.groups = {"f": "/aws/lambda/f", "g": "/slow"}
    slow = [True]

    def answer(params: dict[str, Any]) -> Any:
        if params["logGroupName"] == "/slow":
            return Hang() if slow[0] else page()
        return page(event("1", NOW - 1))

    stub.on("logs", "FilterLogEvents", answer)
    given_up = asyncio.ensure_future(reading.at(NOW, "f", "g"))
    async with asyncio.timeout(PATIENCE_S):
        while not reading.source._ready:
            await asyncio.wait([given_up], timeout=0.01)
    given_up.cancel()
    await asyncio.wait([given_up])
    slow[0] = False
    told = await reading.at(NOW + 5, "f", "g")
    assert [line.event_id for e in told for line in e.lines] == ["1"]
