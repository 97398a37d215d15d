"""A console that looks between rounds misses no line, however many one round brings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail, append_lines


@pytest.fixture(autouse=True)
def small_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogTail, "KEEP", 5)
    monkeypatch.setattr(LogTail, "KEEP_BURST", 40)


def grown(tail: LogTail, count: int) -> LogTail:
    first = tail.next_seq
    return append_lines(
        tail, tuple(parse(float(i), str(i), "s", f"{i}") for i in range(first, first + count))
    )


@given(st.lists(st.integers(0, 20), max_size=12), st.data())
def test_nothing_of_two_rounds_is_missed(rounds: list[int], data: st.DataObject) -> None:
    tail, seen, looked_before = LogTail(), 0, 0
    for count in rounds:
        tail = grown(tail, count)
        assert len(tail.lines) == min(5, tail.next_seq - 1)
        assert [line.seq for line in (*tail.burst, *tail.lines)] == list(
            range(tail.next_seq - len(tail.lines) - len(tail.burst), tail.next_seq)
        )
        looked_before = 0 if data.draw(st.booleans()) else looked_before + 1
        if looked_before < 2:
            new = tail.after(seen)
            if looked_before == 0:
                assert [line.seq for line in new] == list(range(seen + 1, tail.next_seq))[-40:]
                seen = tail.next_seq - 1
        else:
            seen, looked_before = tail.next_seq - 1, 0


def test_a_flood_is_bounded_and_forgotten_when_it_is_over() -> None:
    tail = grown(LogTail(), 100)
    assert (len(tail.burst), len(tail.lines)) == (35, 5)
    tail = grown(grown(tail, 1), 1)
    assert (len(tail.burst), len(tail.lines)) == (0, 5)


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=5))
def test_lines_have_the_tails_numbers_whatever_numbers_they_come_with(rounds: list[list[int]]) -> None:
    tail, count = LogTail(), 0
    for given_numbers in rounds:
        tail = append_lines(tail, tuple(parse(0.0, "", "s", "x", n) for n in given_numbers))
        count += len(given_numbers)
        held = [line.seq for line in (*tail.burst, *tail.lines)]
        assert held == list(range(count + 1 - len(held), count + 1))
        assert tail.next_seq == count + 1


def test_lines_that_are_numbered_rightly_are_taken_as_they_are() -> None:
    tail = grown(LogTail(), 3)
    lines = tuple(parse(0.0, "", "s", "x", 4 + i) for i in range(2))
    assert all(a is b for a, b in zip(append_lines(tail, lines).lines[-2:], lines, strict=True))
