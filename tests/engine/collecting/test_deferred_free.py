"""Who looks at snapshots frees no log lines: those that fell out are freed by the engine, piece by piece."""

from __future__ import annotations

import pytest
from fakes.clock import FakeClock
from fakes.entries import SCOPE, WORKER
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import LogsObserved
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.engine.collecting.deferred_free import DeferredFree
from lambdatop.engine.collecting.publisher import Publisher


class Line(LogLine, frozen=True):
    """A line whose end is noticed."""

    freed = 0

    def __del__(self) -> None:
        Line.freed += 1


def lines(first: int, count: int) -> tuple[LogLine, ...]:
    return tuple(
        Line(n, float(n), str(n), "stream", "app", "", f"line {n}", "", None, "")
        for n in range(first, first + count)
    )


def tail(first: int, count: int) -> LogTail:
    return LogTail(lines=lines(first, count), next_seq=first + count)


@pytest.fixture(autouse=True)
def small_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogTail, "KEEP", 5)
    monkeypatch.setattr(LogTail, "KEEP_BURST", 40)


@pytest.fixture
def pauses() -> list[int]:
    """Return how many lines were freed in each pause."""
    return []


@pytest.fixture
def store(pauses: list[int]) -> DeferredFree:
    Line.freed = 0
    return DeferredFree(lambda: pauses.append(Line.freed))


def test_lines_wait_until_the_snapshot_that_shows_them_is_done_with(store: DeferredFree) -> None:
    shown = {WORKER: tail(1, 10)}
    store.done_with(6, shown)
    store.keep(shown, {WORKER: tail(8, 10)}, 7)
    del shown
    Line.freed = 0
    store.clear()
    assert (len(store), Line.freed) == (7, 0)
    store.done_with(7, {})
    store.clear()
    assert (len(store), Line.freed) == (0, 7)


def test_a_log_that_is_gone_leaves_all_its_lines(store: DeferredFree) -> None:
    store.keep({WORKER: LogTail(lines=lines(6, 5), next_seq=11, burst=lines(1, 5))}, {}, 7)
    assert (len(store), Line.freed) == (10, 0)


def test_many_lines_are_freed_in_pieces(store: DeferredFree, pauses: list[int]) -> None:
    store.keep({WORKER: tail(1, 2_500)}, {}, 7)
    store.clear()
    assert pauses == [0, 1_000, 2_000]
    assert Line.freed == 2_500


def test_a_screen_that_stands_still_holds_what_it_shows_and_no_more(store: DeferredFree) -> None:
    store.done_with(0, {WORKER: tail(1, 12)})
    for seq in range(1, 10):
        first = seq * 5 - 4
        store.keep({WORKER: tail(first, 10)}, {WORKER: tail(first + 5, 10)}, seq)
        store.clear()
        assert len(store) == min(12, seq * 5)


def test_who_looks_once_and_never_again_does_not_fill_the_memory() -> None:
    publisher = Publisher(FakeClock(), Settings(), "operator", "0")
    publisher.take_latest()
    for seq in range(1, 400, 20):
        publisher.fold((LogsObserved(SCOPE, float(seq), WORKER, "group", lines(seq, 20), True, ""),))
        publisher.publish()
        assert len(publisher._deferred) == 0


@given(st.lists(st.one_of(st.just(-1), st.integers(0, 30)), max_size=25))
def test_the_screen_frees_no_line_and_none_is_kept_for_ever(steps: list[int]) -> None:
    publisher = Publisher(FakeClock(), Settings(), "operator", "0")
    shown: Snapshot = publisher.take_latest()
    seq = 1
    for count in steps:
        if count < 0:
            before = Line.freed
            shown = publisher.take_latest()
            assert Line.freed == before, "the screen's own snapshot was the last to hold lines"
        else:
            event = LogsObserved(SCOPE, float(seq), WORKER, "group", lines(seq, count), True, "")
            publisher.fold((event,))
            publisher.publish()
            seq += count
            del event
    for _ in range(2):
        shown = publisher.take_latest()
    publisher.publish()
    assert len(publisher._deferred) == 0
    assert shown.logs.keys() <= {WORKER}
