"""`make foreign` notices a wrong value, a missing one, and one that is said although nobody told it."""

from __future__ import annotations

from typing import Any

import pytest
from foreign.shown import of_page, of_report, of_table
from foreign.values import UNREAD, Values, compare, unsaid

TIMEOUT = ("function", "shop", "timeout_s")
RESERVED = ("function", "shop", "reserved")
VISIBLE = ("queue", "orders", "visible")
READ: Values = {TIMEOUT: 30, RESERVED: None, VISIBLE: 12}


def test_what_is_shown_as_it_was_read_is_no_difference() -> None:
    assert compare(dict(READ), READ) == (3, ())


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (TIMEOUT, 3, "function shop timeout_s: shown is 3, boto3 reads 30"),
        (TIMEOUT, 30.5, "function shop timeout_s: shown is 30.5, boto3 reads 30"),
        (TIMEOUT, UNREAD, "function shop timeout_s: shown is not known, boto3 reads 30"),
        (RESERVED, 0, "function shop reserved: shown is 0, boto3 reads None"),
        (RESERVED, UNREAD, "function shop reserved: shown is not known, boto3 reads None"),
        (VISIBLE, True, "queue orders visible: shown is True, boto3 reads 12"),
    ],
)
def test_a_wrong_value_is_noticed(place: tuple[str, str, str], value: Any, words: str) -> None:
    assert compare(READ | {place: value}, READ) == (3, (words,))


def test_a_value_is_noticed_that_is_missing_or_that_boto3_does_not_read() -> None:
    shown = {k: v for k, v in READ.items() if k != TIMEOUT} | {("queue", "made-up", "visible"): 1}
    assert compare(shown, READ).differences == (
        "function shop timeout_s: not shown, boto3 reads 30",
        "queue made-up visible: shown is 1, and boto3 reads no such thing",
    )


def test_none_for_what_the_server_does_not_tell_is_noticed() -> None:
    unread = READ | {RESERVED: UNREAD}
    words = "function shop reserved: shown is None, boto3 reads not known"
    assert compare(dict(READ), unread).differences == (words,)
    assert compare(dict(unread), unread).differences == ()


def test_a_count_may_be_any_between_both_reads_and_nothing_beyond() -> None:
    later = READ | {VISIBLE: 5}
    for count, differs in ((12, False), (8, False), (5, False), (4, True), (13, True)):
        assert bool(compare(READ | {VISIBLE: count}, READ, later).differences) is differs


def test_only_the_fields_that_a_form_shows_are_compared() -> None:
    assert compare({}, READ, only={"timeout_s"}).values == 1


def test_a_read_that_failed_has_to_be_named() -> None:
    assert unsaid(["lambda:GetPolicy"], "lambda:GetPolicy  denied") == ()
    assert unsaid(["lambda:GetPolicy"], "none") == ("lambda:GetPolicy is not answered, and nothing says so",)


def test_tables_are_read_by_their_heads() -> None:
    text = (
        "FUNCTIONS\nFUNCTION  TIMEOUT  RESERVED\nshop          30s      none\nother        900s         -\n\n"
        "QUOTAS\nQUOTA                  LIMIT\nconcurrent executions  1,000\n"
    )
    found = of_table(text)
    assert found[TIMEOUT] == 30
    assert found[RESERVED] is None
    assert found[("function", "other", "reserved")] is UNREAD
    assert found[("account", "concurrency", "limit")] == 1000
    assert found[("account", "unreserved", "limit")] is UNREAD


def test_the_report_is_read_as_a_reader_sees_it() -> None:
    head = ("FUNCTION", "RUNTIME", "MEMORY MB", "TIMEOUT", "RESERVED", "DLQ")
    rows = (head, ("---",) * len(head), ("us\\-east-1\\.shop", "python3.13", "512", "90s", "0", "none"))
    found = of_report("\n".join(f"| {' | '.join(row)} |" for row in rows))
    mine = {field: value for (_, name, field), value in found.items() if name == "us-east-1.shop"}
    assert mine == {
        "runtime": "python3.13", "memory_mb": 512, "timeout_s": 90, "reserved": 0, "dlq_arn": None
    }  # fmt: skip


def test_a_page_without_its_lines_is_missing_values() -> None:
    line = "│ runtime       java21  x86_64  1024 MB  timeout 29 s  /tmp 512 MB   ││ log │"
    assert of_page(line, "shop")[TIMEOUT] == 29
    assert TIMEOUT not in of_page("│ runtime  ││ log │", "shop")
