"""What Logs Insights is asked, and what that costs."""

from __future__ import annotations

import re

import pytest

from lambdatop.domain.log_analysis.insights import (
    ANY_CASE,
    EXACT,
    MOST_ROWS,
    Found,
    Row,
    errors_found,
    errors_query,
    kinds_in,
    price_usd,
)

FAILURES = (
    "[ERROR] ValueError: bad",
    "2026-10-08T07:00:00.000Z 79b5e81f Task timed out after 3.00 seconds",
    "RequestId: 79b5e81f Error: Runtime exited with error: signal: killed",
    "REPORT RequestId: x Duration: 1 ms Status: timeout",
    '{"level":"ERROR","errorType":"TypeError"}',
    "java.lang.NullPointerException: null",
    "panic: runtime error: index out of range",
    "write /tmp/x: ENOSPC: no space left on device",
)
FINE = (
    "START RequestId: x Version: $LATEST",
    "booked 12 EUR",
    "REPORT RequestId: x Duration: 1 ms",
    '{"level":"info","errors":0,"error":null}',
    '{"level":30,"status":"ok"}',
)


@pytest.mark.parametrize("line", FAILURES)
def test_the_query_takes_every_known_failure(line: str) -> None:
    assert re.search(f"{EXACT}|(?i:{ANY_CASE})", line)


@pytest.mark.parametrize("line", FINE)
def test_the_query_leaves_what_is_fine(line: str) -> None:
    assert not re.search(f"{EXACT}|(?i:{ANY_CASE})", line)


def test_the_query_is_bounded_and_newest_first() -> None:
    query = errors_query(100)
    assert query.endswith("sort @timestamp desc | limit 100")
    assert f"like /{EXACT}/ or @message like /(?i){ANY_CASE}/ |" in query
    assert f"limit {MOST_ROWS}" in errors_query()


def test_prices_and_what_was_left_out() -> None:
    assert price_usd(10 * 2**30) == pytest.approx(0.05)
    found = Found((Row(1.0, "g", "s", "m"),), 7, 1000)
    assert found.left_out == 6


def test_rows_become_kinds_of_errors_by_group() -> None:
    trace = ("Traceback (most recent call last):", "KeyError: 'total'")
    rows = [Row(9.0, "/a", "s", text) for text in reversed(trace)]
    rows += [
        Row(8.0 - n, "/b", "s", f"[ERROR] ValueError: order {n} is bad\n  at line {n}") for n in range(3)
    ]
    rows.append(Row(1.0, "/b", "s", "INFO Error: is only a word here"))
    kinds = kinds_in(rows)
    assert [(k.group, k.kind.count, k.kind.headline) for k in kinds] == [
        ("/b", 3, "ValueError: order 0 is bad"),
        ("/a", 1, "KeyError: 'total'"),
    ]
    assert (kinds[0].kind.first_at, kinds[0].kind.last_at) == (6.0, 8.0)
    found = errors_found(Found(tuple(rows), 20, 2**30))
    assert (found.kinds, found.matched, found.left_out) == (kinds, 20, 14)
    assert found.usd == pytest.approx(0.005)


def test_no_rows_no_kinds() -> None:
    assert kinds_in(()) == ()
