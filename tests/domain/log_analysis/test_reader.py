"""A reader learns a tail in pieces, and sums it up now and then."""

from __future__ import annotations

from fakes.busy_log import AT, FACTS, busy, read, tail
from fakes.logscene import rid, run
from msgspec.structs import replace

from lambdatop.domain.cost.burn import NO_BURN
from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.log_analysis.reader import FRESH_S, PIECE, SHOWN, LogReader, notable
from lambdatop.domain.log_analysis.summary import log_summary
from lambdatop.domain.loglines.tail import append_lines

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
    found = notable(BUSY.learned.requests)
    assert [r.request_id for r in found] == [rid(77), rid(93), rid(92), rid(91), rid(90)]
    assert len(BUSY.learned.requests) == len(BUSY.learned.kinds) == SHOWN


def test_it_says_of_a_whole_tail_what_the_summary_says() -> None:
    whole = tail(busy())
    prices = replace(table_prices(FACTS.key.scope.region), request=0.001, set_by=("costs.prices",))
    for account in (NO_BURN, replace(NO_BURN, times=2.0), replace(NO_BURN, prices=prices)):
        reader = LogReader()
        reader.offer(whole)
        while reader.behind:
            reader.step()
        reader.summarize(FACTS, AT, account)
        found = log_summary(whole, FACTS, account)
        assert reader.learned is not None
        assert found is not None
        assert (reader.learned.figures, reader.learned.exact) == (found.figures, found.exact)
        assert found.exact is not None
