"""A study that takes a log piece by piece says what the batch functions say of the whole."""

from __future__ import annotations

from random import Random

import pytest
from fakes.logscene import init, line, rid, run
from fakes.worlds import function
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.log_analysis import study as logstudy
from lambdatop.domain.log_analysis.figures import FigureBook, log_figures
from lambdatop.domain.log_analysis.fingerprints import ErrorBook, digest_errors
from lambdatop.domain.log_analysis.requests import RequestBook, requests
from lambdatop.domain.log_analysis.study import SETTLE_S, LogStudy
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.records import join, position
from lambdatop.domain.loglines.tail import LogTail, append_lines

FACTS = function("worker", memory_mb=512)
TRACE = ("Traceback (most recent call last):", '  File "/a.py", line 4, in f', "    g(x)", "KeyError: 'id7'")
SAYS: tuple[tuple[str, ...], ...] = (
    (),
    ("fine", "order 17"),
    TRACE,
    ("[ERROR] ValueError: order 12 of 'bob'\nTraceback: x",),
    (f"[ERROR]\t2026-11-21T04:11:00.123Z\t{rid(1)}\tretrying",),
    ("[WARNING] EMFILE",),
    ('{"level":"ERROR","message":"upstream 7 said 503"}',),
    (f"2026-11-21T04:11:00.123Z {rid(2)} Task timed out after 3.00 seconds",),
)
ENDS = ("", "Status: success", "Status: timeout", "Status: error\tError Type: Runtime.ExitError")

execution = st.builds(
    lambda n, at, env, says, end, init_ms: run(
        n, 1000.0 + at / 4, env, says=SAYS[says], end=ENDS[end], init_ms=init_ms, size_mb=128 << env
    ),
    st.integers(0, 5),
    st.integers(0, 200),
    st.integers(0, 2),
    st.integers(0, len(SAYS) - 1),
    st.integers(0, len(ENDS) - 1),
    st.sampled_from((None, 250.0)),
)
beginning = st.builds(lambda at, env: [init(1000.0 + at / 4, env)], st.integers(0, 200), st.integers(0, 2))


def tail_of(parts: list[list[LogLine]]) -> LogTail:
    """Return lines in the order of their stamps, each event once."""
    lines = {n.event_id: n for part in parts for n in part}
    return append_lines(LogTail(), tuple(sorted(lines.values(), key=position)))


def studied(lines: tuple[LogLine, ...], sizes: list[int]) -> LogStudy:
    study, at = LogStudy(), 0
    for size in (*sizes, len(lines)):
        study.feed(lines[at : at + size])
        at += size
    study.settle(float("inf"))
    return study


@settings(max_examples=120, deadline=None)
@given(st.lists(execution | beginning, max_size=14), st.lists(st.integers(0, 12), max_size=12))
def test_in_any_pieces_it_learns_what_the_whole_says(parts: list[list[LogLine]], sizes: list[int]) -> None:
    tail = tail_of(parts)
    study = studied(tail.lines, sizes)
    records = join(tail.lines)
    assert study.errors() == digest_errors(records)
    assert study.requests() == requests(records)
    for window_s in (20.0, 100.0):
        assert study.figures(FACTS, 1060.0, window_s) == log_figures(tail, FACTS, 1060.0, window_s)
    assert (study.lines, study.missed) == (len(tail.lines), 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(execution, max_size=8), st.randoms(use_true_random=False))
def test_errors_and_figures_do_not_depend_on_the_order_of_records(
    parts: list[list[LogLine]], random: Random
) -> None:
    tail = tail_of(parts)
    records = list(join(tail.lines))
    expected = {(k.fingerprint, k.count, k.first_at, k.last_at) for k in digest_errors(records)}
    random.shuffle(records)
    book = ErrorBook()
    for record in records:
        book.take([record])
    assert {(k.fingerprint, k.count, k.first_at, k.last_at) for k in book.found()} == expected


def test_a_figure_book_begins_where_the_tail_does() -> None:
    tail = append_lines(LogTail(), tuple(n for i in range(2000) for n in run(i, 1000.0 + i)))
    assert tail.lines[0].seq > 1
    study = studied(tail.lines, [100] * 10)
    figures = study.figures(FACTS, 3000.0, 1990.0)
    assert figures == log_figures(tail, FACTS, 3000.0, 1990.0)
    assert not figures.complete
    assert figures.since == tail.lines[0].at


def test_an_error_is_known_once_its_request_ended_or_some_seconds_later() -> None:
    start, error, *ended = run(1, 10.0, says=("[ERROR] ValueError: x",))
    study = LogStudy()
    study.feed([start, error])
    assert study.errors() == ()
    study.feed(ended)
    assert [k.headline for k in study.errors()] == ["ValueError: x"]
    late = line(20.0, "[ERROR] OSError: y", 1)
    study.feed([late])
    study.feed([line(20.0 + SETTLE_S - 1, "elsewhere", 2)])
    assert len(study.errors()) == 1
    study.feed([line(20.0 + SETTLE_S + 1, "elsewhere", 2)])
    assert [k.headline for k in study.errors()] == ["OSError: y", "ValueError: x"]


def test_a_finished_request_is_known_at_once() -> None:
    study = LogStudy()
    study.feed(run(1, 10.0, end="Status: timeout"))
    assert [(r.request_id, r.status) for r in study.requests()] == [(rid(1), "timeout")]


def test_lines_that_nobody_handed_in_are_counted() -> None:
    tail = append_lines(LogTail(), tuple(n for i in range(10) for n in run(i, 10.0 + i)))
    study = LogStudy()
    study.feed(tail.lines[:5])
    assert study.figures(FACTS, 30.0, 20.0).complete
    study.feed(tail.lines[12:])
    assert (study.missed, study.seq) == (7, 30)
    assert not study.figures(FACTS, 30.0, 20.0).complete
    study.feed(())
    assert (study.missed, study.lines) == (7, 23)


def test_what_it_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_REQUESTS", "MOST_KINDS", "MOST_REPORTS"):
        monkeypatch.setattr(logstudy, name, 20)
    words = [f"{'a' * (1 + i // 10)}{'b' * (i % 10)}" for i in range(100)]
    study = LogStudy()
    for i in range(100):
        study.feed(run(i, 100.0 + i, i, says=(f"[ERROR] Error: {words[i]}",)))
    assert len(study.requests()) == 20
    assert study.requests()[-1].request_id == rid(99)
    kinds = study.errors()
    assert len(kinds) <= 20
    assert sum(k.count for k in kinds) + study.errors_left_out == 100
    assert kinds[0].headline.endswith(words[99])
    figures = study.figures(FACTS, 200.0, 100.0)
    assert 10 <= figures.requests <= 20
    assert 10 <= figures.environments <= 20
    assert figures.requests == sum(1 for i in range(100) if 100.1 + i >= figures.since)
    assert not figures.complete


def test_reports_that_nothing_explains_are_bounded_too() -> None:
    failed = [
        n for i in range(50) for n in run(i, 10.0 + i, end="Status: error\tError Type: Runtime.ExitError")
    ]
    book = ErrorBook(10)
    for record in join(failed):
        book.take([record])
    (kind,) = book.found()
    assert (kind.count, kind.fingerprint) == (50, "REPORT error Runtime.ExitError")
    assert (kind.first_at, kind.last_at) == (10.1, 59.1)


def test_a_request_with_very_many_lines_stays_small() -> None:
    book = RequestBook()
    lines = run(1, 10.0)
    starts = [replace(lines[0], event_id=f"s{i}", at=10.0 + i / 100) for i in range(500)]
    errors = [line(16.0 + i / 100, "[ERROR] ValueError: x") for i in range(500)]
    book.take(join([*starts, *errors, *run(1, 40.0)]))
    (request,) = book.found()
    assert (request.attempts, request.error, request.status) == (501, "ValueError: x", "success")
    (seen,) = book._seen.values()
    assert len(seen.kept) < 200


def test_a_figure_book_forgets_on_demand() -> None:
    book = FigureBook()
    book.take([n for i in range(10) for n in run(i, 10.0 + i, i)])
    book.forget(15.0)
    figures = book.found(FACTS, 0.0, 30.0)
    assert (figures.since, figures.requests, figures.environments, figures.complete) == (15.0, 5, 5, False)
