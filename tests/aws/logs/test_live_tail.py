"""Live Tail on the wire: what comes live, what is polled beside it, and how one way follows the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE
from fakes.live_tail_stub import LiveTailStub
from fakes.live_tailing import NOW, F, Tailing, event
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Fault
from fuzz.test_fuzz import BROKEN

from lambdatop.aws.logs.live_tail import MINUTE_USD, SAMPLED_ENDS, group_of
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.engine.rate_limiter import logs_per_s

pytestmark = [pytest.mark.wire, pytest.mark.sdk]


@pytest.fixture
async def stub() -> AsyncIterator[LiveTailStub]:
    async with LiveTailStub() as running:
        yield running
    assert running.problems == []


@pytest.fixture
async def tailing(stub: LiveTailStub) -> AsyncIterator[Tailing]:
    made = Tailing(stub)
    yield made
    await made.bench.close()


async def test_lines_come_live_and_polling_rests(tailing: Tailing) -> None:
    tailing.held = [event("old", NOW - 5)]
    first = await tailing.at(NOW)
    assert (first.via, first.via_why) == ("poll", "Live Tail is starting")
    session = await tailing.stub.session(1)
    assert session.groups == ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/f"]
    await tailing.begun()
    await tailing.at(NOW + 5)  # reads once more what fell between the last poll and the session's begin
    asked = tailing.filtered
    session.update([event("new", NOW + 6)])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    seen = await tailing.at(NOW + 7)
    assert [line.text for line in seen.lines] == ["line new"]
    assert (seen.via, seen.via_why, seen.complete, seen.coverage) == ("live tail", "", True, 1.0)
    assert seen.usd_per_hour == pytest.approx(0.60)
    assert tailing.filtered == asked
    assert tailing.texts == ["line old", "line new"]


async def test_a_line_that_comes_both_ways_is_told_once(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    twins = [event("a", NOW + 1, "same"), event("b", NOW + 1, "same")]
    session.update([twins[0]])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    tailing.held = [*twins, event("c", NOW + 2)]
    await tailing.at(NOW + 5)
    session.update([twins[1], event("c", NOW + 2)])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    await tailing.at(NOW + 10)
    assert sorted(tailing.texts) == ["line c", "same", "same"]


async def test_what_live_tail_left_out_is_found_by_the_sweep(tailing: Tailing) -> None:
    await tailing.at(NOW)
    await tailing.stub.session(1)
    await tailing.begun()
    await tailing.at(NOW + 5)
    tailing.held = [event("lost", NOW + 6)]
    await tailing.at(NOW + 10)
    assert tailing.texts == []
    await tailing.at(NOW + 75)
    assert tailing.texts == ["line lost"]


async def test_a_dropped_connection_is_polled_over_and_tried_again(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    await tailing.at(NOW + 5)
    session.update([event("1", NOW + 6)])
    session.drop()
    await tailing.over()
    tailing.held = [event("1", NOW + 6), event("2", NOW + 7)]
    seen = await tailing.at(NOW + 10)
    assert seen.via == "poll"
    assert "connection broke off" in (await tailing.at(NOW + 12)).via_why
    assert tailing.texts == ["line 1", "line 2"]
    await tailing.at(NOW + 20)
    await tailing.stub.session(2)
    await tailing.begun()
    assert (await tailing.at(NOW + 25)).via == "live tail"


async def test_after_three_hours_the_next_session_is_opened_at_once(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    session.expire()
    await tailing.over()
    assert (await tailing.at(NOW + 5)).via == "poll"
    await tailing.stub.session(2)


@pytest.mark.parametrize(
    ("code", "words", "pause_s"),
    [
        ("LimitExceededException", "15", 60),
        ("AccessDeniedException", "logs:StartLiveTail is denied", 300),
        ("ServiceUnavailableException", "failed", 30),
    ],
)
async def test_a_refused_session_is_said_and_tried_later(
    tailing: Tailing, code: str, words: str, pause_s: float
) -> None:
    tailing.stub.refusals = [Fault(code), Fault(code)]
    tailing.held = [event("1", NOW - 1)]
    await tailing.at(NOW)
    await tailing.over()
    await tailing.at(NOW + 5)
    seen = await tailing.at(NOW + 10)
    assert seen.via == "poll"
    assert words in seen.via_why
    assert f"tried again in {pause_s - 5:.0f} s" in seen.via_why
    assert tailing.texts == ["line 1"]
    assert len(tailing.stub.calls("StartLiveTail")) == 1
    await tailing.at(NOW + 5 + pause_s)
    await tailing.over()
    await tailing.at(NOW + 10 + pause_s)
    assert len(tailing.stub.calls("StartLiveTail")) == 2
    seen = await tailing.at(NOW + 10 + pause_s)
    assert f"again in {min(900, 2 * pause_s):.0f} s" in seen.via_why


async def test_a_group_of_another_class_does_not_take_live_tail_from_the_others(tailing: Tailing) -> None:
    tailing.groups = {"f": "/rare", "g": "/aws/lambda/g", "h": "/none"}
    classes = {"/rare": "INFREQUENT_ACCESS", "/aws/lambda/g": "STANDARD"}

    def describe(params: dict[str, Any]) -> dict[str, Any]:
        name = params["logGroupNamePrefix"]
        groups = [{"logGroupName": name, "logGroupClass": classes[name]}] if name in classes else []
        return {"logGroups": groups}

    tailing.stub.on("logs", "DescribeLogGroups", describe)
    tailing.stub.refusals = [Fault("InvalidOperationException")]
    await tailing.at(NOW, "f", "g", "h")
    held = tailing.source.live._session
    assert held is not None
    assert held.task is not None
    await asyncio.wait([held.task])
    await tailing.at(NOW + 5, "f", "g", "h")
    session = await tailing.stub.session(1)
    assert [group_of(g) for g in session.groups] == ["/aws/lambda/g"]
    await tailing.at(NOW + 6, "f", "g", "h")
    why = {e.function.id: e.via_why for e in tailing.told[-3:]}
    assert "class STANDARD only, this one is INFREQUENT_ACCESS" in why["f"]
    assert "does not exist (yet)" in why["h"]


async def test_sampling_is_told_polled_over_and_ends_the_session_when_it_lasts(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    await tailing.at(NOW + 5)
    session.update([event("1", NOW + 6)], sampled=True)
    session.update([event("3", NOW + 7)])
    await tailing.until(lambda: tailing.source.live._held == 2)
    tailing.held = [event(str(n), NOW + 5 + n / 10) for n in (2,)]
    seen = await tailing.at(NOW + 10)
    assert (seen.coverage, seen.complete) == (0.5, False)
    assert "sampled 1 of its last 2 updates" in seen.gap
    assert tailing.texts == ["line 2", "line 1", "line 3"]
    for _ in range(SAMPLED_ENDS):
        session.update(sampled=True)
    await tailing.over()
    await tailing.at(NOW + 15)
    assert "500 lines a second" in (await tailing.at(NOW + 16)).via_why


async def test_minutes_are_metered_as_they_start(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    assert tailing.bench.meter.usd == pytest.approx(MINUTE_USD)
    tailing.bench.clock.at = NOW + 150
    session.update([event("1", NOW + 149)])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    assert tailing.bench.meter.usd == pytest.approx(3 * MINUTE_USD)
    assert tailing.bench.meter.calls["logs.LiveTailMinute"] == 3


async def test_nobody_wants_it_any_more_closes_the_connection(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    functions = (FunctionFacts(F, "arn", log_group="/aws/lambda/f"),)
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, functions),))
    await tailing.source.collect(View(NOW + 5, world, frozenset({F})))
    await asyncio.wait_for(session.closed.wait(), PATIENCE_S)
    assert not tailing.source.live.running


async def test_closing_the_clients_closes_the_stream(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    await tailing.bench.close()
    await asyncio.wait_for(session.closed.wait(), PATIENCE_S)
    await tailing.source.live.follow({"/aws/lambda/f": session.groups[0]})
    assert not tailing.source.live.running


async def test_a_damaged_frame_ends_the_session_not_the_source(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    session.send(b"\0\0\0\x20\0\0\0\0broken-crc-and-nothing-else-in-here")
    await tailing.over()
    assert (await tailing.at(NOW + 5)).via == "poll"


@pytest.mark.parametrize("name", BROKEN)
async def test_any_broken_frame_ends_the_session_not_the_source(tailing: Tailing, name: str) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    session.send(BROKEN[name])
    session.drop()
    await tailing.over()
    tailing.held = [event("1", NOW + 1)]
    assert (await tailing.at(NOW + 5)).via == "poll"
    assert tailing.texts == ["line 1"]
    assert "the connection broke off" in (await tailing.at(NOW + 6)).via_why


async def test_other_logs_are_not_polled_more_often_because_live_lines_wake_the_source(
    tailing: Tailing,
) -> None:
    tailing.groups = {"f": "/aws/lambda/f", "g": "/aws/lambda/g"}
    await tailing.at(NOW, "g")
    await tailing.stub.session(1)
    await tailing.until(lambda: tailing.source.live.session("/aws/lambda/g") is not None)
    await tailing.at(NOW + 5, "g")
    asked = tailing.filtered
    for second in (6, 7, 8):
        await tailing.at(NOW + second, "g")
    assert tailing.filtered == asked
    await tailing.at(NOW + 10, "g")
    assert tailing.filtered == asked + 1


@pytest.mark.parametrize(
    "identifier",
    [
        "arn:aws:logs:x:123456789012:log-group:/a/b:*",
        "arn:aws:logs:x:1:log-group:/a/b",
        "123456789012:/a/b",
        "/a/b",
    ],
)
def test_groups_are_known_by_any_of_their_names(identifier: str) -> None:
    assert group_of(identifier) == "/a/b"


async def test_hostile_live_text_is_harmless(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    session.update([event("x", NOW + 1, "a\x1b[2J\u202e\x07", "s\x1b]0;x\x07")])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    (line,) = (await tailing.at(NOW + 2)).lines
    assert not any(c in line.text + line.stream + line.event_id for c in "\x1b\x07\u202e")


async def test_the_world_knows_which_way_the_lines_come(tailing: Tailing) -> None:
    await tailing.at(NOW)
    session = await tailing.stub.session(1)
    await tailing.begun()
    session.update([event("1", NOW + 1)])
    await tailing.until(lambda: bool(tailing.source.live._arrived))
    await tailing.at(NOW + 5)
    await tailing.at(NOW + 6)
    tail = fold_all(EMPTY_WORLD, tailing.told).logs[F]
    assert (tail.via, tail.coverage, tail.via_why) == ("live tail", 1.0, "")
    assert tail.lag_s is not None  # of the round before: the last one brought no line


@pytest.mark.parametrize(
    ("region", "per_s"), [("us-east-1", 25), ("eu-central-1", 5), ("il-central-1", 5), ("eu-west-1", 10)]
)
def test_a_third_of_what_the_region_allows_is_ours(region: str, per_s: float) -> None:
    assert logs_per_s(region) == pytest.approx(per_s / 3)
