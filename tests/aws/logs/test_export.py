"""Whole logs: everything from a moment to now, oldest first, nothing left out without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench
from fakes.log_flood import GROUP, NOW, Store, flood, some_faults
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Fault, Reset, WireStub
from msgspec.structs import replace

from lambdatop.aws.logs import export as log_export
from lambdatop.aws.logs.collector import LogsSource
from lambdatop.domain.errors import Denied, Throttled, Unreachable
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.ports.aws import View
from lambdatop.domain.ports.log_export import LogExport
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

MS = int(NOW * 1000)


def event(n: int, at_ms: int, message: str = "", stream: str = "2027/01/15/[$LATEST]0a") -> dict[str, Any]:
    return {
        "eventId": str(n),
        "timestamp": at_ms,
        "message": message or f"line {n}\n",
        "logStreamName": stream,
    }


def page(*events: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return {"events": list(events)} | ({"nextToken": token} if token else {})


def view(groups: dict[str, str], *watched: str, since_s: float = 600.0) -> View:
    facts = tuple(FunctionFacts(Key(SCOPE, "function", n), "arn", log_group=g) for n, g in groups.items())
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, facts),))
    return View(NOW, world, frozenset(Key(SCOPE, "function", n) for n in watched), since_s)


ONE = view({"f": GROUP}, "f")


async def read(made: Bench, asked: View = ONE) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Return (ms, function, text) of each line in the order of printing, and the notes."""
    export: LogExport = LogsSource(made.api, SCOPE)
    lines: list[tuple[int, str, str]] = []
    notes: list[str] = []
    async for batch in export.texts(asked):
        lines += [(at, key.id, text) for at, key, text in batch.lines]
        notes += batch.notes
    return lines, notes


@pytest.fixture
def made(bench: MakeBench) -> Bench:
    return bench(at=NOW)


async def test_a_long_log_is_read_from_its_beginning_and_nothing_is_cut(
    stub: WireStub, made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_export, "PAGE_EVENTS", 400)
    written = flood(12_000, 100.0)
    store = Store(written, some_faults)
    store.advance(NOW + 10_000)
    stub.on("logs", "FilterLogEvents", store.filter)
    made.clock.at = NOW + 200
    lines, notes = await read(made, view({"f": GROUP}, "f"))
    assert notes == []
    stamps = [at for at, _, _ in lines]
    assert stamps == sorted(stamps)
    assert sorted(lines) == sorted((e["timestamp"], "f", e["message"].rstrip("\n")) for _, e in written)
    calls = stub.calls("FilterLogEvents")
    assert {c["startTime"] for c in calls} == {MS - 600_000}
    assert all("startFromHead" not in c for c in calls)
    assert store.failed > 0


async def test_it_ends_where_it_is_asked_to(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", page(event(1, MS - 400_000, "first")))
    await read(made, replace(ONE, log_until=NOW - 300))
    await read(made)
    assert [c["endTime"] for c in stub.calls("FilterLogEvents")] == [MS - 300_000, MS + log_export.AHEAD_MS]


async def test_the_same_lines_come_understood(stub: WireStub, made: Bench) -> None:
    rid = "11111111-2222-3333-4444-555555555555"
    stub.on(
        "logs",
        "FilterLogEvents",
        page(
            event(1, MS - 9, f"START RequestId: {rid}\n", "a\x1bb"),
            event(2, MS - 8, "[ERROR] ValueError: no"),
        ),
    )
    found = [pair async for batch in LogsSource(made.api, SCOPE).lines(ONE) for pair in batch.lines]
    assert [(key.id, line.kind, line.event_id, line.at) for key, line in found] == [
        ("f", "start", "1", NOW - 0.009),
        ("f", "error", "2", NOW - 0.008),
    ]
    assert found[0][1].stream == "a\u241bb"
    assert found[0][1].request_id == rid


async def test_hostile_text_is_cleaned_whatever_stands_around_it(stub: WireStub, made: Bench) -> None:
    texts = [f"harmless {n}" for n in range(250)]
    texts[120] = "\x1b[2Jx\u202e\n\r\tb\x9b"
    stub.on("logs", "FilterLogEvents", page(*(event(n, MS + n, text) for n, text in enumerate(texts))))
    lines, _ = await read(made)
    assert lines[120][2] == "\u241b[2Jx[U+202E]\n\u240d   b[9B]"
    assert [text for _, _, text in lines[:120]] == texts[:120]


async def test_colours_are_left_out_of_texts_as_of_lines(stub: WireStub, made: Bench) -> None:
    coloured = "\x1b[36mpassword\x1b[39m: hunter2 AKIA\x1b[1mIOSFODNN7EXAMPLE\x1b[0m"
    stub.on("logs", "FilterLogEvents", page(event(1, MS, coloured)))
    ((_, _, text),), _ = await read(made)
    assert text == "password: hunter2 AKIAIOSFODNN7EXAMPLE"
    assert "hunter2" not in redact(text)[0]


async def test_pages_without_lines_are_read_on_and_the_same_page_twice_counts_once(
    stub: WireStub, made: Bench
) -> None:
    first = [event(1, MS), event(2, MS + 1)]
    stub.on(
        "logs",
        "FilterLogEvents",
        page(token="a"),
        page(*first, token="b"),
        page(*first, token="c"),
        page(event(3, MS + 2)),
    )
    assert [text for _, _, text in (await read(made))[0]] == ["line 1", "line 2", "line 3"]


async def test_a_token_that_leads_nowhere_ends_it_with_a_word(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", page(event(1, MS), token="a"), page(event(2, MS + 1), token="a"))
    lines, notes = await read(made)
    assert (len(lines), len(stub.calls("FilterLogEvents"))) == (2, 2)
    assert notes == ["the server sent the same page again: what comes after it was not read"]


async def test_what_is_older_than_asked_is_no_part_of_it(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", page(event(1, MS - 30_001), event(2, MS - 30_000), event(3, 0)))
    lines, _ = await read(made, view({"f": GROUP}, "f", since_s=30.0))
    assert [text for _, _, text in lines] == ["line 2"]


async def test_several_logs_are_merged_by_time_however_their_pages_are_cut(
    stub: WireStub, made: Bench
) -> None:
    def reply(params: dict[str, Any]) -> dict[str, Any]:
        if params["logGroupName"] == "/b":
            return page(*(event(n, MS + n, f"b {n}") for n in range(1, 60, 2)))
        at = int(params.get("nextToken") or 0)
        return page(event(at, MS + at, f"a {at}"), token=str(at + 2) if at < 58 else None)

    stub.on("logs", "FilterLogEvents", reply)
    lines, _ = await read(made, view({"a": "/a", "b": "/b"}, "a", "b"))
    assert [at - MS for at, _, _ in lines] == list(range(60))
    assert {(name, text[0]) for _, name, text in lines} == {("a", "a"), ("b", "b")}


async def test_a_shared_group_is_read_once_and_told_apart_by_stream(stub: WireStub, made: Bench) -> None:
    events = [
        event(1, MS, stream="2027/01/15/f[$LATEST]0a"),
        event(2, MS, stream="2027/01/15/g[7]0a"),
        event(3, MS, stream="2027/01/15/h[7]0a"),
        event(4, MS, stream="anything"),
    ]
    stub.on("logs", "FilterLogEvents", page(*events))
    lines, notes = await read(made, view({"f": GROUP, "g": GROUP, "h": GROUP}, "f", "g"))
    assert [(name, text) for _, name, text in lines] == [("f", "line 1"), ("g", "line 2")]
    assert notes == ["1 lines of streams that name no function are left out (shared group)"]
    assert len(stub.calls("FilterLogEvents")) == 1


async def test_a_group_that_does_not_exist_is_a_note(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", Fault("ResourceNotFoundException"))
    lines, notes = await read(made)
    assert lines == []
    assert notes == [f"the log group {GROUP} does not exist (yet): it is made at the first log line"]


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ([Fault("AccessDeniedException")], Denied),
        ([Reset()], Unreachable),
        ([Fault("ThrottlingException")] * 5, Throttled),
        ([page(event(1, MS), token="a"), *[Reset()] * 5], Unreachable),
    ],
)
async def test_what_cannot_be_read_is_an_error(
    stub: WireStub, made: Bench, replies: Sequence[Any], kind: type[Exception]
) -> None:
    stub.on("logs", "FilterLogEvents", *replies)
    with pytest.raises(kind):
        await read(made)
    assert len(stub.received) == len(replies)


async def test_odd_events_are_lines_all_the_same(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", page({"eventId": "1"}, {"message": "no stamp"}))
    lines, _ = await read(made, view({"f": GROUP}, "f", since_s=NOW))
    assert lines == [(0, "f", ""), (0, "f", "no stamp")]


async def test_the_next_page_is_on_its_way_while_this_one_is_printed(stub: WireStub, made: Bench) -> None:
    asked = asyncio.Event()

    def reply(params: dict[str, Any]) -> dict[str, Any]:
        if not params.get("nextToken"):
            return page(event(1, MS), token="a")
        asked.set()
        return page(event(2, MS + 1))

    stub.on("logs", "FilterLogEvents", reply)
    batches = LogsSource(made.api, SCOPE).texts(ONE)
    assert len((await anext(batches)).lines) == 1
    await asyncio.wait_for(asked.wait(), PATIENCE_S)
    assert [text async for batch in batches for _, _, text in batch.lines] == ["line 2"]


async def test_who_stops_reading_leaves_nothing_behind(stub: WireStub, made: Bench) -> None:
    stub.on("logs", "FilterLogEvents", page(event(1, MS), token="a"), page(event(2, MS)))
    batches = LogsSource(made.api, SCOPE).texts(ONE)
    await anext(batches)
    await batches.aclose()
    assert [t for t in asyncio.all_tasks() if "_page" in repr(t)] == []
