"""Questions about logs: which groups are asked, what it costs, and cancelling reaches the query."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.entries import SCOPE, WORKER
from fakes.sources import FakeBackend
from fakes.time_limit import PATIENCE_S
from msgspec.structs import replace

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import Found, Row, Scan, price_usd
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.engine import Engine
from lambdatop.engine.log_questions import LogQuestions
from lambdatop.engine.spend_meter import SpendMeter
from lambdatop.engine.thread import EngineThread
from lambdatop.storage.journal_file import JournalFile

LIMIT_S = PATIENCE_S
NOW = 1_800_000_000.0


class Queries:
    """Answers with what it is given; with a `gate` a query runs until it is opened."""

    def __init__(self, about: int | None = 2**30) -> None:
        self.about = about
        self.asked: list[tuple[Sequence[str], float, float]] = []
        self.rows: tuple[Row, ...] = ()
        self.gate: asyncio.Event | None = None
        self.begun, self.stopped = threading.Event(), threading.Event()

    async def estimate_bytes(self, groups: Sequence[str], start: float, end: float) -> int | None:
        self.asked.append((groups, start, end))
        return self.about

    async def run(self, groups: Sequence[str], query: str, start: float, end: float) -> Found:
        self.asked.append((groups, start, end))
        self.begun.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        return Found(self.rows, len(self.rows) + 2, 2**30)


class History:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], float, frozenset[str]]] = []

    async def older(
        self, functions: Sequence[FunctionFacts], before: float, shared: Collection[str]
    ) -> Older:
        self.asked.append((tuple(f.name for f in functions), before, frozenset(shared)))
        return Older((), before, True)


def facts(name: str, group: str = "") -> FunctionFacts:
    return FunctionFacts(Key(SCOPE, "function", name), "arn", log_group=group or f"/aws/lambda/{name}")


class Asked:
    """LogQuestions over a World of these functions."""

    def __init__(self, *functions: FunctionFacts, queries: Queries | None, history: History | None) -> None:
        self.clock = FakeClock(now=NOW)
        self.keys = frozenset(f.key for f in functions)
        self._queries, self._history = queries, history
        world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, functions),))
        self.questions = LogQuestions(self._backend, lambda: world, self.clock)

    async def _backend(self) -> Backend:
        return replace(await FakeBackend().connect(), queries=self._queries, history=self._history)


async def test_older_lines_are_asked_of_what_is_known_and_shared_groups_are_named() -> None:
    history = History()
    functions = (facts("b", "/all"), facts("a"), facts("c", "/all"))
    asked = Asked(*functions, queries=None, history=history)
    gone = Key(SCOPE, "function", "gone")
    older = await asked.questions.older(frozenset({functions[0].key, functions[1].key, gone}), NOW - 5)
    assert older.end
    assert history.asked == [(("a", "b"), NOW - 5, frozenset({"/all"}))]
    with pytest.raises(LambdatopError, match="any more"):
        await asked.questions.older(frozenset({gone}), NOW)


async def test_a_scan_is_priced_and_asks_nothing() -> None:
    queries = Queries()
    asked = Asked(facts("b", "/all"), facts("a", "/all"), facts("c"), queries=queries, history=None)
    scan = await asked.questions.scan(asked.keys, 15)
    now = asked.clock.now()
    assert scan == Scan(("/all", "/aws/lambda/c"), now - 900, now, 2**30, price_usd(2**30))
    assert not queries.begun.is_set()
    queries.about = None
    scan = await asked.questions.scan(asked.keys, 15)
    assert (scan.about_bytes, scan.usd) == (None, None)


async def test_groups_beyond_what_one_query_takes_are_counted() -> None:
    queries = Queries()
    asked = Asked(*(facts(f"f{n:02}") for n in range(53)), queries=queries, history=None)
    scan = await asked.questions.scan(asked.keys, 15)
    assert (len(scan.groups), scan.left_out) == (50, 3)
    assert len(queries.asked[0][0]) == 50


async def test_errors_come_by_kind_with_what_they_cost() -> None:
    queries = Queries()
    queries.rows = tuple(Row(NOW - n, "/g", "s", f"[ERROR] ValueError: order {n} is bad") for n in range(3))
    asked = Asked(facts("a"), queries=queries, history=None)
    scan = Scan(("/g",), NOW - 60, NOW)
    found = await asked.questions.errors(scan)
    ((group, kind),) = found.kinds
    assert (group, kind.count, kind.first_at, kind.last_at) == ("/g", 3, NOW - 2, NOW)
    assert (found.matched, found.left_out, found.scanned_bytes) == (5, 2, 2**30)
    assert found.usd == pytest.approx(price_usd(2**30))
    assert queries.asked == [(("/g",), NOW - 60, NOW)]


async def test_a_connection_without_these_doors_says_so() -> None:
    asked = Asked(facts("a"), queries=None, history=None)
    for question in (
        asked.questions.older(asked.keys, NOW),
        asked.questions.scan(asked.keys, 15),
        asked.questions.errors(Scan((), NOW, NOW)),
    ):
        with pytest.raises(LambdatopError, match="connection cannot"):
            await question


class WithDoors(FakeBackend):
    """A backend that can be asked about logs."""

    def __init__(self, queries: Queries, history: History) -> None:
        super().__init__()
        self.doors = {"queries": queries, "history": history}

    async def connect(self) -> Backend:
        return replace(await super().connect(), **self.doors)


def test_through_the_thread_and_cancelling_reaches_the_query(tmp_path: Path) -> None:
    queries, clock = Queries(), SystemClock()
    queries.gate = asyncio.Event()
    backend, journal = WithDoors(queries, History()), JournalFile(tmp_path / "j")
    engine = Engine(
        backend.connect,
        Settings(),
        clock,
        journal,
        "operator",
        "0.1.0",
        SpendMeter(clock, 0.5),
        on_loaded=lambda: None,
    )
    thread = EngineThread(engine)
    thread.start()
    try:
        with pytest.raises(LambdatopError, match="any more"):
            thread.older_logs(frozenset({WORKER}), NOW).result(LIMIT_S)
        with pytest.raises(LambdatopError, match="any more"):
            thread.log_scan(frozenset({WORKER}), 15).result(LIMIT_S)
        future = thread.log_errors(Scan(("/g",), NOW - 60, NOW))
        assert queries.begun.wait(LIMIT_S)
        assert future.cancel()
        assert queries.stopped.wait(LIMIT_S)
    finally:
        assert thread.stop(LIMIT_S)
